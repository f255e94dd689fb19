#include "launcher/training/train_options.h"

#include <iterator>

namespace stc::launcher {
namespace {

using Losses = models::TemporalLossOptions;

/// A key that decides about one quirk of the authors' code (docs/method.md 3).
struct LossSwitch {
  const char* key;
  bool Losses::*field;
  const char* help;
};

constexpr LossSwitch kSwitches[] = {
    {"losses.shannon_entropy",
     &Losses::shannon_entropy,
     "Q1: choose cells by -sum p log p, not sum -log p"},
    {"losses.threshold_per_sample",
     &Losses::threshold_per_sample,
     "Q2: one threshold per sample, not per column"},
    {"losses.distil_row_mass",
     &Losses::distil_row_mass,
     "Q3: the pooled target's rows sum to 1, not 1/4"},
    {"losses.centred_colours",
     &Losses::centred_colours,
     "Q4: colours from the centre of a cell, not its corner"},
    {"losses.normalise_teacher", &Losses::normalise_teacher, "Q5: L2-normalised teacher features"},
    {"losses.entropy_of_distilled_map",
     &Losses::entropy_of_distilled_map,
     "Q6: choose by the coarse map itself"}};

// Keys of both steps, by section, in the order in which they show in `--keys` and in config.toml.

void bind_run_and_data(ConfigSchema& schema, TrainOptions& o) {
  schema.text("run.dir", &o.run_dir).help("folder of the run; created if it does not exist");
  schema.integer("run.seed", &o.seed).help("seed of all random numbers");
  schema.text("run.device", &o.device).one_of({"auto", "cpu", "cuda"}).help("device to compute on");
  schema.text("run.precision", &o.precision)
      .one_of({"auto", "float32", "tf32", "bf16", "fp16"})
      .help(
          "number format of the convolutions; weights and losses are float32. auto: bf16 on a GPU, "
          "float32 on a CPU");
  schema.text("run.memory_format", &o.memory_format)
      .one_of({"auto", "contiguous", "channels_last"})
      .help(
          "memory layout of feature maps and weights. auto: channels_last on a GPU, contiguous on "
          "a "
          "CPU");
  schema.boolean("run.deterministic", &o.deterministic)
      .help("the same bits in every run on the same GPU; slower");
  schema.integer("run.threads", &o.threads)
      .range(0, 4096)
      .help(
          "compute threads per rank; 0: its share of the cores. A resumed run is equal bit for bit "
          "only with the same number of threads");
  schema.text("data.shards", &o.shards).help("folder made by `stc pack`");
  schema.text("data.local", &o.local_disk)
      .help(
          "folder on each node's own disk that data.shards is copied to first; empty: read in "
          "place");
  schema.integer("loader.workers", &o.loader.workers)
      .range(0, 1024)
      .help("decoding threads per rank");
  schema.integer("loader.prefetch", &o.loader.prefetch).range(1, 1024).help("batches kept ready");
  schema.number("loader.max_bad_fraction", &o.loader.max_bad_fraction)
      .range(0, 1)
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
      .help("steps per line of metrics.jsonl");
  schema.text("train.trace_steps", &o.trace_steps)
      .help("FIRST:LAST, steps whose trace goes to trace/rank-N.json of the run; empty: none");
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

void bind_checkpoint(ConfigSchema& schema, TrainOptions& o) {
  schema.integer("checkpoint.every_steps", &o.checkpoint_every)
      .at_least(1)
      .help("steps between checkpoints");
  schema.number("checkpoint.every_minutes", &o.checkpoint_minutes)
      .at_least(0)
      .help("also save once the last save is this many minutes old; 0: off");
  schema.integer("checkpoint.keep", &o.checkpoint_keep)
      .at_least(2)
      .help("number of newest checkpoints that are kept");
}

void bind_dist(ConfigSchema& schema, TrainOptions& o) {
  schema.number("dist.stall_seconds", &o.stall_seconds)
      .at_least(1)
      .help(
          "a collective that waits is reported within this many seconds, with the ranks it waits "
          "for");
  schema.number("dist.timeout_seconds", &o.timeout_seconds)
      .at_least(1)
      .help("a collective that takes more seconds than this ends the run");
  schema.number("dist.bucket_mib", &o.reducer.bucket_mib)
      .range(0, 65536)
      .help("MiB of gradients that are reduced at once");
  schema.number("dist.first_bucket_mib", &o.reducer.first_bucket_mib)
      .range(0, 65536)
      .help("the same for the first layers, whose gradients are ready last");
  schema.text("dist.compression", &o.reducer.compression)
      .one_of({"none", "bf16", "fp16"})
      .help("number format that gradients are rounded to before they are sent");
  schema.integer("dist.check_every", &o.check_every)
      .at_least(1)
      .help("steps between checks that all ranks hold the same weights and queue");
}

void bind_probe(ConfigSchema& schema, ValidationOptions& o) {
  schema.text("probe.data", &o.data)
      .help("folder laid out like DAVIS that is evaluated during training; empty: none");
  schema.text("probe.split", &o.split)
      .help("file that lists its clips; empty: the list of the data set");
  schema.integer("probe.every_steps", &o.every_steps)
      .at_least(1)
      .help("steps between evaluations; the last step is evaluated, too");
  schema.integer("probe.clips", &o.clips)
      .at_least(0)
      .help("number of clips, from the first on; 0: all");
  schema.integer("probe.short_side", &o.short_side)
      .range(16, 4096)
      .help("shorter side of the network's input in pixels");
}

void bind_log(ConfigSchema& schema, log::FileOptions& o) {
  schema.boolean("log.json", &o.json).help("lines of log/rank-N.log are JSON objects");
  schema.integer("log.rotate_bytes", &o.rotate_bytes)
      .at_least(4096)
      .help("a log of more bytes is renamed to a numbered one, and a new one begins");
  schema.integer("log.keep", &o.keep).range(1, 1000).help("numbered logs that are kept");
}

void bind_metrics(ConfigSchema& schema, TrainOptions& o) {
  schema.integer("metrics.port", &o.metrics_port)
      .range(0, 65535)
      .or_word("off", -1)
      .help("port for Prometheus; 0: any free one");
  schema.text("metrics.address", &o.metrics_address)
      .help("address to listen on; 0.0.0.0: every interface of the node");
  schema.text("metrics.user", &o.metrics_user)
      .help("user that may read the metrics; empty: anyone who reaches the port");
  schema.text("metrics.password_file", &o.metrics_password_file)
      .help("file whose first line is that user's password");
}

void bind_surroundings(ConfigSchema& schema, TrainOptions& o) {
  bind_checkpoint(schema, o);
  bind_dist(schema, o);
  bind_probe(schema, o.validation);
  bind_log(schema, o.log);
  bind_metrics(schema, o);
  // What cannot change the trained weights: where files lie and how many cores work, how often
  // something is saved, checked, logged or evaluated, for how long one waits.
  schema.mark_operation({"run.dir", "run.device", "run.deterministic", "run.threads"});
  schema.mark_operation({"data.local", "loader."});
  schema.mark_operation(
      {"train.log_every", "train.trace_steps", "checkpoint.", "probe.", "log.", "metrics."});
  schema.mark_operation({"dist.stall_seconds", "dist.timeout_seconds", "dist.check_every"});
  schema.mark_operation({"dist.bucket_mib", "dist.first_bucket_mib"});
}

// Keys of one step, which all decide what is trained.

void bind_clips(ConfigSchema& schema, data::ClipOptions& o) {
  schema.integer("clips.size", &o.size)
      .range(32, 4096)
      .help("side of the crops in pixels, a multiple of 32");
  schema.integer("clips.frame_gap", &o.frame_gap)
      .range(1, 100000)
      .help("distance from reference to target in frames");
  schema.number("clips.min_area", &o.min_area)
      .range(1e-3, 1)
      .help("smallest crop, as a share of the frame");
  schema.number("clips.min_aspect", &o.min_aspect)
      .range(1e-2, 100)
      .help("smallest width / height of the crop");
  schema.number("clips.max_aspect", &o.max_aspect)
      .range(1e-2, 100)
      .help("largest width / height of the crop");
}

void bind_losses(ConfigSchema& schema, Losses& o) {
  schema.integer("losses.fine_radius", &o.fine_radius)
      .range(2, 4096)
      .help("search radius in cells at stride 4");
  schema.integer("losses.coarse_radius", &o.coarse_radius)
      .range(1, 2048)
      .help("search radius in cells at stride 8; half the fine one");
  schema.number("losses.reconstruction_weight", &o.reconstruction_weight)
      .at_least(0)
      .help("weight of the reconstruction loss, at both strides");
  schema.number("losses.local_weight", &o.local_weight)
      .at_least(0)
      .help("weight of the local loss; 0: off");
  schema.number("losses.global_weight", &o.global_weight)
      .at_least(0)
      .help("weight of the global loss; 0: off, and no teacher");
  schema.number("losses.teacher_temperature", &o.teacher_temperature)
      .at_least(1e-6)
      .help("temperature of the teacher's map");
  schema.number("losses.keep", &o.keep)
      .range(1e-3, 1)
      .help("share of the cells that the local loss counts");
}

}  // namespace

PretrainOptions::PretrainOptions() {
  batch_size = 256;
  optimizer = {OptimizerKind::kSgd, 0.9, 1e-4};
  schedule = {0.03, 0, 0, 0.001, true};
}

void PretrainOptions::bind(ConfigSchema& schema) {
  bind_run_and_data(schema, *this);
  schema.integer("images.size", &images.size).range(32, 4096).help("side of the crops in pixels");
  schema.number("images.min_area", &images.min_area)
      .range(1e-3, 1)
      .help("smallest crop, as a share of the image");
  schema.number("images.blur_sigma_max", &images.blur_sigma_max)
      .range(0, 10)
      .help("largest sigma of the blur in pixels; 0: no blur");
  bind_train(schema, *this);
  schema.integer("model.depth", &depth).range(18, 50).help("depth of the ResNet: 18 or 50");
  schema.text("model.init", &init).help("weights to start from; empty: random");
  schema.integer("contrastive.queue_size", &spatial.queue_size)
      .at_least(1)
      .help("keys in the queue");
  schema.integer("contrastive.dimension", &spatial.dimension)
      .range(1, 65536)
      .help("length of the embedding");
  schema.number("contrastive.momentum", &spatial.momentum)
      .range(0, 1)
      .help("momentum of the key encoder");
  schema.number("contrastive.temperature", &spatial.temperature)
      .at_least(1e-6)
      .help("temperature of the logits");
  schema.integer("contrastive.key_groups", &key_groups)
      .at_least(1)
      .help("batch norm groups of the shuffled keys on a single rank");
  bind_optimizer(schema, *this);
  bind_surroundings(schema, *this);
}

VideoTrainOptions::VideoTrainOptions() : switches(std::size(kSwitches), "preset") {
  optimizer = {OptimizerKind::kAdam};
  schedule = {5e-5, 0.001, 1100, 0.001, false};
}

void VideoTrainOptions::bind(ConfigSchema& schema) {
  bind_run_and_data(schema, *this);
  bind_clips(schema, clips);
  bind_train(schema, *this);
  schema.text("train.preset", &preset)
      .one_of({"paper_code", "fixed"})
      .help("as in the authors' code, or with Q1, Q2 and Q6 (docs/method.md) corrected");
  schema.integer("model.depth", &depth).range(18, 50).help("depth of the student: 18 or 50");
  schema.text("model.teacher", &teacher).help("step 1's weights; needed by the global loss");
  schema.text("model.init", &init).help("weights the student starts from; empty: random");
  bind_losses(schema, losses);
  for (std::size_t i = 0; i < std::size(kSwitches); ++i) {
    schema.text(kSwitches[i].key, &switches[i])
        .one_of({"preset", "on", "off"})
        .help(kSwitches[i].help);
  }
  bind_optimizer(schema, *this);
  bind_surroundings(schema, *this);
}

models::TemporalLossOptions VideoTrainOptions::resolved_losses() const {
  auto resolved = models::with_preset(losses, preset);
  for (std::size_t i = 0; i < std::size(kSwitches); ++i) {
    if (switches[i] != "preset") resolved.*kSwitches[i].field = switches[i] == "on";
  }
  return resolved;
}

}  // namespace stc::launcher
