#include "launcher/training/train_options.h"

#include <limits>

#include "launcher/training/operation_keys.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

constexpr auto kMany = std::numeric_limits<std::int64_t>::max();
constexpr auto kHuge = std::numeric_limits<double>::infinity();

void bind_run(ConfigSchema* schema, TrainOptions* o) {
  schema->text("run.dir",
               &o->run_dir,
               {},
               Effect::kOperation,
               "folder of the run; made where it is not there");
  schema->integer("run.seed", &o->seed, 0, kMany, Effect::kTraining, "decides everything random");
  schema->text(
      "run.device", &o->device, {"auto", "cpu", "cuda"}, Effect::kOperation, "where to compute");
  schema->text("run.precision",
               &o->precision,
               {"float32", "bf16", "fp16"},
               Effect::kTraining,
               "of the convolutions; weights and losses are float32");
  schema->text("run.memory_format",
               &o->memory_format,
               {"contiguous", "channels_last"},
               Effect::kTraining,
               "of the convolutions' maps");
  schema->integer("run.threads",
                  &o->threads,
                  0,
                  4096,
                  Effect::kOperation,
                  "compute threads a rank; 0: its share of the cores. A resumed run is bit-equal "
                  "for equal threads");
}

void bind_data(ConfigSchema* schema, TrainOptions* o) {
  schema->text("data.shards", &o->shards, {}, Effect::kTraining, "folder made by `stc pack`");
  schema->text("data.local",
               &o->local_disk,
               {},
               Effect::kOperation,
               "folder on each node's own disk that data.shards is copied to first; empty: read "
               "where it is");
  schema->integer(
      "loader.workers", &o->loader_workers, 0, 1024, Effect::kOperation, "decoding threads a rank");
  schema->integer(
      "loader.prefetch", &o->loader_prefetch, 1, 1024, Effect::kOperation, "batches held ready");
  schema->number("loader.max_bad_fraction",
                 &o->max_bad_fraction,
                 0,
                 1,
                 Effect::kOperation,
                 "bad entries are replaced up to this share of the data set");
}

void bind_train(ConfigSchema* schema, TrainOptions* o) {
  schema->integer("train.steps", &o->steps, 1, kMany, Effect::kTraining, "length of the run");
  schema->integer("train.batch_size",
                  &o->batch_size,
                  1,
                  kMany,
                  Effect::kTraining,
                  "samples a step, over all ranks");
  schema->integer("train.accumulate",
                  &o->accumulate,
                  1,
                  kMany,
                  Effect::kTraining,
                  "micro-batches a step, one after the other; less memory, the same batch");
  schema->integer("train.log_every",
                  &o->log_every,
                  1,
                  kMany,
                  Effect::kOperation,
                  "steps a line of metrics.jsonl");
}

void bind_rest(ConfigSchema* schema, TrainOptions* o) {
  auto& s = o->schedule;
  schema->number(
      "optimizer.learning_rate", &s.learning_rate, 0, kHuge, Effect::kTraining, "base rate");
  schema->number("optimizer.final_ratio",
                 &s.final_ratio,
                 0,
                 1,
                 Effect::kTraining,
                 "of the base, at the end of the cosine");
  schema->integer("optimizer.warmup_steps",
                  &s.warmup_steps,
                  0,
                  kMany,
                  Effect::kTraining,
                  "linear ramp; clipped to train.steps");
  schema->number("optimizer.warmup_ratio",
                 &s.warmup_ratio,
                 0,
                 1,
                 Effect::kTraining,
                 "of the cosine, at step 0");
  schema->boolean("optimizer.rate_per_epoch",
                  &s.per_epoch,
                  Effect::kTraining,
                  "the cosine moves once an epoch");
  if (o->optimizer.kind == OptimizerKind::kSgd) {
    schema->number("optimizer.momentum", &o->optimizer.momentum, 0, 1, Effect::kTraining, "of SGD");
  } else {
    schema->number("optimizer.beta1", &o->optimizer.beta1, 0, 1, Effect::kTraining, "of Adam");
    schema->number("optimizer.beta2", &o->optimizer.beta2, 0, 1, Effect::kTraining, "of Adam");
    schema->number("optimizer.epsilon", &o->optimizer.epsilon, 0, 1, Effect::kTraining, "of Adam");
  }
  schema->number("optimizer.weight_decay",
                 &o->optimizer.weight_decay,
                 0,
                 kHuge,
                 Effect::kTraining,
                 "on all parameters");
  schema->number("optimizer.clip_norm",
                 &o->clip_norm,
                 0,
                 kHuge,
                 Effect::kTraining,
                 "a longer gradient is scaled to this norm; 0: off");
  schema->integer("checkpoint.every_steps",
                  &o->checkpoint_every,
                  1,
                  kMany,
                  Effect::kOperation,
                  "steps between checkpoints");
  schema->number("checkpoint.every_minutes",
                 &o->checkpoint_minutes,
                 0,
                 kHuge,
                 Effect::kOperation,
                 "also save so long after the last time; 0: off");
  schema->integer("checkpoint.keep",
                  &o->checkpoint_keep,
                  2,
                  kMany,
                  Effect::kOperation,
                  "newest ones that stay");
  schema->number("dist.stall_seconds",
                 &o->stall_seconds,
                 1,
                 kHuge,
                 Effect::kOperation,
                 "within this time it is said for whom a collective waits");
  schema->number("dist.timeout_seconds",
                 &o->timeout_seconds,
                 1,
                 kHuge,
                 Effect::kOperation,
                 "a collective that takes longer ends the run");
  schema->number("dist.bucket_mib",
                 &o->reducer.bucket_mib,
                 0,
                 65536,
                 Effect::kOperation,
                 "of gradients reduced at once");
  schema->number("dist.first_bucket_mib",
                 &o->reducer.first_bucket_mib,
                 0,
                 65536,
                 Effect::kOperation,
                 "of the first layers' gradients, which are ready last");
  schema->text("dist.compression",
               &o->reducer.compression,
               {"none", "bf16", "fp16"},
               Effect::kTraining,
               "what gradients are rounded to before they travel");
  schema->integer("dist.check_every",
                  &o->check_every,
                  1,
                  kMany,
                  Effect::kOperation,
                  "steps between checks that all ranks hold the same weights and queue");
  bind_operation(schema, o);
}

}  // namespace

models::Arithmetic arithmetic_of(const TrainOptions& options) {
  models::Arithmetic arithmetic;
  if (options.precision == "bf16") arithmetic.reduced = at::kBFloat16;
  if (options.precision == "fp16") arithmetic.reduced = at::kHalf;
  arithmetic.channels_last = options.memory_format == "channels_last";
  return arithmetic;
}

PretrainOptions::PretrainOptions() {
  batch_size = 256;
  optimizer = {OptimizerKind::kSgd, 0.9, 1e-4};
  schedule = {0.03, 0, 0, 0.001, true};
}

void PretrainOptions::bind(ConfigSchema* schema) {
  bind_run(schema, this);
  bind_data(schema, this);
  schema->integer(
      "images.size", &images.size, 32, 4096, Effect::kTraining, "side of the crops in pixels");
  schema->number("images.min_area",
                 &images.min_area,
                 1e-3,
                 1,
                 Effect::kTraining,
                 "smallest crop, share of the image");
  schema->number("images.blur_sigma_max",
                 &images.blur_sigma_max,
                 0,
                 10,
                 Effect::kTraining,
                 "pixels; 0: no blur");
  bind_train(schema, this);
  schema->integer("model.depth", &depth, 18, 50, Effect::kTraining, "18 or 50");
  schema->text("model.init", &init, {}, Effect::kTraining, "weights to start from; empty: random");
  schema->integer(
      "contrastive.queue_size", &spatial.queue_size, 1, kMany, Effect::kTraining, "keys");
  schema->integer(
      "contrastive.dimension", &spatial.dimension, 1, 65536, Effect::kTraining, "of the embedding");
  schema->number(
      "contrastive.momentum", &spatial.momentum, 0, 1, Effect::kTraining, "of the key encoder");
  schema->number("contrastive.temperature",
                 &spatial.temperature,
                 1e-6,
                 kHuge,
                 Effect::kTraining,
                 "of the logits");
  schema->integer("contrastive.key_groups",
                  &key_groups,
                  1,
                  kMany,
                  Effect::kTraining,
                  "batch norm groups of the shuffled keys where there is one rank");
  bind_rest(schema, this);
}

VideoTrainOptions::VideoTrainOptions() {
  optimizer = {OptimizerKind::kAdam};
  schedule = {5e-5, 0.001, 1100, 0.001, false};
  using Losses = models::TemporalLossOptions;
  quirks = {{"shannon_entropy",
             &Losses::shannon_entropy,
             "Q1: choose cells by -sum p log p, not sum -log p"},
            {"threshold_per_sample",
             &Losses::threshold_per_sample,
             "Q2: one threshold a sample, not one a column"},
            {"distil_row_mass",
             &Losses::distil_row_mass,
             "Q3: the pooled target's rows sum to 1, not 1/4"},
            {"centred_colours",
             &Losses::centred_colours,
             "Q4: colours from the centre of a cell, not its corner"},
            {"normalise_teacher", &Losses::normalise_teacher, "Q5: L2-normalised teacher features"},
            {"entropy_of_distilled_map",
             &Losses::entropy_of_distilled_map,
             "Q6: choose by the coarse map itself"}};
}

void VideoTrainOptions::bind(ConfigSchema* schema) {
  bind_run(schema, this);
  bind_data(schema, this);
  schema->integer("clips.size",
                  &clips.size,
                  32,
                  4096,
                  Effect::kTraining,
                  "side of the crops in pixels, a multiple of 32");
  schema->integer("clips.frame_gap",
                  &frame_gap,
                  1,
                  100000,
                  Effect::kTraining,
                  "frames from reference to target");
  schema->number("clips.min_area",
                 &clips.min_area,
                 1e-3,
                 1,
                 Effect::kTraining,
                 "smallest crop, share of the frame");
  schema->number("clips.min_aspect",
                 &clips.min_aspect,
                 1e-2,
                 100,
                 Effect::kTraining,
                 "width / height of the crop");
  schema->number("clips.max_aspect",
                 &clips.max_aspect,
                 1e-2,
                 100,
                 Effect::kTraining,
                 "width / height of the crop");
  bind_train(schema, this);
  schema->text("train.preset",
               &preset,
               {"paper_code", "fixed"},
               Effect::kTraining,
               "the authors' code, or Q1, Q2 and Q6 mended");
  schema->integer("model.depth", &depth, 18, 50, Effect::kTraining, "of the student, 18 or 50");
  schema->text("model.teacher",
               &teacher,
               {},
               Effect::kTraining,
               "step 1's weights; needed by the global loss");
  schema->text(
      "model.init", &init, {}, Effect::kTraining, "weights the student starts from; empty: random");
  schema->integer(
      "losses.fine_radius", &losses.fine_radius, 2, 4096, Effect::kTraining, "cells at stride 4");
  schema->integer("losses.coarse_radius",
                  &losses.coarse_radius,
                  1,
                  2048,
                  Effect::kTraining,
                  "cells at stride 8; half the fine one");
  schema->number("losses.reconstruction_weight",
                 &losses.reconstruction_weight,
                 0,
                 kHuge,
                 Effect::kTraining,
                 "of both levels");
  schema->number(
      "losses.local_weight", &losses.local_weight, 0, kHuge, Effect::kTraining, "0: off");
  schema->number("losses.global_weight",
                 &losses.global_weight,
                 0,
                 kHuge,
                 Effect::kTraining,
                 "0: off, and no teacher");
  schema->number("losses.teacher_temperature",
                 &losses.teacher_temperature,
                 1e-6,
                 kHuge,
                 Effect::kTraining,
                 "of the teacher's map");
  schema->number("losses.keep",
                 &losses.keep,
                 1e-3,
                 1,
                 Effect::kTraining,
                 "share of the cells the local loss counts");
  for (auto& quirk : quirks) {
    schema->text(text("losses.{}", quirk.key),
                 &quirk.value,
                 {"preset", "on", "off"},
                 Effect::kTraining,
                 quirk.help);
  }
  bind_rest(schema, this);
}

models::TemporalLossOptions VideoTrainOptions::resolved_losses() const {
  auto resolved = models::with_preset(losses, preset);
  for (const auto& quirk : quirks) {
    if (quirk.value != "preset") resolved.*quirk.field = quirk.value == "on";
  }
  return resolved;
}

}  // namespace stc::launcher
