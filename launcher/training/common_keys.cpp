#include "launcher/training/common_keys.h"

namespace stc::launcher {

void bind_run_and_data(ConfigSchema& schema, TrainOptions& o) {
  schema.text("run.dir", &o.run_dir)
      .operation()
      .help("folder of the run; created if it does not exist");
  schema.integer("run.seed", &o.seed).help("seed of all random numbers");
  schema.text("run.device", &o.device)
      .one_of({"auto", "cpu", "cuda"})
      .operation()
      .help("device to compute on");
  schema.text("run.precision", &o.precision)
      .one_of({"float32", "bf16", "fp16"})
      .help("number format of the convolutions; weights and losses are float32");
  schema.text("run.memory_format", &o.memory_format)
      .one_of({"contiguous", "channels_last"})
      .help("memory layout of the feature maps");
  schema.integer("run.threads", &o.threads)
      .range(0, 4096)
      .operation()
      .help(
          "compute threads per rank; 0: its share of the cores. A resumed run is equal bit for bit "
          "only with the same number of threads");
  schema.text("data.shards", &o.shards).help("folder made by `stc pack`");
  schema.text("data.local", &o.local_disk)
      .operation()
      .help(
          "folder on each node's own disk that data.shards is copied to first; empty: read in "
          "place");
  schema.integer("loader.workers", &o.loader.workers)
      .range(0, 1024)
      .operation()
      .help("decoding threads per rank");
  schema.integer("loader.prefetch", &o.loader.prefetch)
      .range(1, 1024)
      .operation()
      .help("batches kept ready");
  schema.number("loader.max_bad_fraction", &o.loader.max_bad_fraction)
      .range(0, 1)
      .operation()
      .help("share of the data set that may be bad; bad entries are replaced");
}

void bind_train(ConfigSchema& schema, TrainOptions& o) {
  schema.integer("train.steps", &o.steps).at_least(1).help("length of the run in steps");
  schema.integer("train.batch_size", &o.batch_size)
      .at_least(1)
      .help("samples per step, over all ranks");
  schema.integer("train.accumulate", &o.accumulate)
      .at_least(1)
      .help("micro-batches per step, one after the other: less memory, the same batch");
  schema.integer("train.log_every", &o.log_every)
      .at_least(1)
      .operation()
      .help("steps per line of metrics.jsonl");
}

void bind_optimizer(ConfigSchema& schema, TrainOptions& o) {
  auto& rate = o.schedule;
  schema.number("optimizer.learning_rate", &rate.learning_rate)
      .at_least(0)
      .help("base learning rate");
  schema.number("optimizer.final_ratio", &rate.final_ratio)
      .range(0, 1)
      .help("rate at the end of the cosine, as a share of the base rate");
  schema.integer("optimizer.warmup_steps", &rate.warmup_steps)
      .at_least(0)
      .help("length of the linear warm-up in steps, at most train.steps");
  schema.number("optimizer.warmup_ratio", &rate.warmup_ratio)
      .range(0, 1)
      .help("rate at step 0, as a share of the cosine's");
  schema.boolean("optimizer.rate_per_epoch", &rate.per_epoch)
      .help("the cosine advances per epoch, not per step");
  auto& optimizer = o.optimizer;
  if (optimizer.kind == OptimizerKind::kSgd) {
    schema.number("optimizer.momentum", &optimizer.momentum).range(0, 1).help("momentum of SGD");
  } else {
    schema.number("optimizer.beta1", &optimizer.beta1).range(0, 1).help("beta 1 of Adam");
    schema.number("optimizer.beta2", &optimizer.beta2).range(0, 1).help("beta 2 of Adam");
    schema.number("optimizer.epsilon", &optimizer.epsilon).range(0, 1).help("epsilon of Adam");
  }
  schema.number("optimizer.weight_decay", &optimizer.weight_decay)
      .at_least(0)
      .help("weight decay of all parameters");
  schema.number("optimizer.clip_norm", &o.clip_norm)
      .at_least(0)
      .help("a gradient with a larger norm is scaled down to it; 0: off");
}

namespace {

void bind_checkpoint(ConfigSchema& schema, TrainOptions& o) {
  schema.integer("checkpoint.every_steps", &o.checkpoint_every)
      .at_least(1)
      .operation()
      .help("steps between checkpoints");
  schema.number("checkpoint.every_minutes", &o.checkpoint_minutes)
      .at_least(0)
      .operation()
      .help("also save once the last save is this many minutes old; 0: off");
  schema.integer("checkpoint.keep", &o.checkpoint_keep)
      .at_least(2)
      .operation()
      .help("number of newest checkpoints that are kept");
}

void bind_dist(ConfigSchema& schema, TrainOptions& o) {
  schema.number("dist.stall_seconds", &o.stall_seconds)
      .at_least(1)
      .operation()
      .help(
          "a collective that waits is reported within this many seconds, with the ranks it waits "
          "for");
  schema.number("dist.timeout_seconds", &o.timeout_seconds)
      .at_least(1)
      .operation()
      .help("a collective that takes more seconds than this ends the run");
  schema.number("dist.bucket_mib", &o.reducer.bucket_mib)
      .range(0, 65536)
      .operation()
      .help("MiB of gradients that are reduced at once");
  schema.number("dist.first_bucket_mib", &o.reducer.first_bucket_mib)
      .range(0, 65536)
      .operation()
      .help("the same for the first layers, whose gradients are ready last");
  schema.text("dist.compression", &o.reducer.compression)
      .one_of({"none", "bf16", "fp16"})
      .help("number format that gradients are rounded to before they are sent");
  schema.integer("dist.check_every", &o.check_every)
      .at_least(1)
      .operation()
      .help("steps between checks that all ranks hold the same weights and queue");
}

void bind_probe(ConfigSchema& schema, ValidationOptions& o) {
  schema.text("probe.data", &o.data)
      .operation()
      .help("folder laid out like DAVIS that is evaluated during training; empty: none");
  schema.text("probe.split", &o.split)
      .operation()
      .help("file that lists its clips; empty: the list of the data set");
  schema.integer("probe.every_steps", &o.every_steps)
      .at_least(1)
      .operation()
      .help("steps between evaluations; the last step is evaluated, too");
  schema.integer("probe.clips", &o.clips)
      .at_least(0)
      .operation()
      .help("number of clips, from the first on; 0: all");
  schema.integer("probe.short_side", &o.short_side)
      .range(16, 4096)
      .operation()
      .help("shorter side of the network's input in pixels");
}

void bind_log(ConfigSchema& schema, log::FileOptions& o) {
  schema.boolean("log.json", &o.json).operation().help("lines of log/rank-N.log are JSON objects");
  schema.integer("log.rotate_bytes", &o.rotate_bytes)
      .at_least(4096)
      .operation()
      .help("a log of more bytes is renamed to a numbered one, and a new one begins");
  schema.integer("log.keep", &o.keep)
      .range(1, 1000)
      .operation()
      .help("numbered logs that are kept");
}

void bind_metrics(ConfigSchema& schema, TrainOptions& o) {
  schema.integer("metrics.port", &o.metrics_port)
      .range(0, 65535)
      .or_word("off", -1)
      .operation()
      .help("port for Prometheus; 0: any free one");
  schema.text("metrics.address", &o.metrics_address)
      .operation()
      .help("address to listen on; 0.0.0.0: every interface of the node");
  schema.text("metrics.user", &o.metrics_user)
      .operation()
      .help("user that may read the metrics; empty: anyone who reaches the port");
  schema.text("metrics.password_file", &o.metrics_password_file)
      .operation()
      .help("file whose first line is that user's password");
}

}  // namespace

void bind_surroundings(ConfigSchema& schema, TrainOptions& o) {
  bind_checkpoint(schema, o);
  bind_dist(schema, o);
  bind_probe(schema, o.validation);
  bind_log(schema, o.log);
  bind_metrics(schema, o);
}

}  // namespace stc::launcher
