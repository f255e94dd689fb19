#include "launcher/training/train_options.h"

#include <iterator>

#include "launcher/training/common_keys.h"

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
