// Step 2 as the training loop sees it: pairs of frames in, reconstruction and distillation losses
// out.
#include <ATen/ATen.h>

#include <optional>

#include "data/augment/lab_table.h"
#include "data/random.h"
#include "data/shards/shard_set.h"
#include "launcher/run_folder/weights.h"
#include "launcher/training/feed.h"
#include "launcher/training/rank_equality.h"
#include "launcher/training/training_arithmetic.h"
#include "models/spatial_model.h"
#include "models/temporal_model.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

class TemporalMethod : public FedMethod<data::ClipBatch> {
 public:
  TemporalMethod(const VideoTrainOptions& options,
                 const data::NamedTensors& teacher,
                 dist::Communicator& device_ranks,
                 at::Device device,
                 std::unique_ptr<data::ClipLoader> loader)
      : FedMethod({device, options.accumulate, std::move(loader)}),
        options_(options),
        device_(device),
        ranks_{device_ranks.rank(), device_ranks.size()},
        model_(model_options(options, teacher), options.seed) {
    if (!options.init.empty()) {
      with_key_in_errors("model.init", [&] {
        model_.student.load(read_weights(options.init).tensors, options.init);
      });
    }
    if (model_.teacher) {
      model_.teacher->load(teacher, options.teacher);
      fingerprint_ = text("teacher crc32c {}", checksum(teacher));
    }
    model_.to(device, at::kFloat);
    model_.set_arithmetic(arithmetic_of(options));
    if (device_ranks.size() > 1)
      ranks_.sum = [&](const at::Tensor& tensor) { device_ranks.all_reduce(tensor); };
  }

  models::NamedTensorList parameters() const override {
    if (options_.losses.global_weight != 0) return model_.student.parameters();
    models::NamedTensorList
        reached;  // without the global loss nothing reaches layer4 (docs/method.md 2.6)
    for (const auto& parameter : model_.student.parameters()) {
      if (!parameter.first.starts_with("layer4.")) reached.push_back(parameter);
    }
    return reached;
  }
  std::map<std::string, data::NamedTensors> shared_state() const override {
    return {{"the weights", by_name(model_.student.parameters())},
            {"the running statistics", by_name(model_.student.buffers())}};
  }
  data::NamedTensors backbone_state() const override { return model_.student.state(); }
  data::InputColour input_colour() const override { return data::InputColour::kLab; }
  data::NamedTensors method_state() const override { return {}; }
  void load(const data::NamedTensors& backbone,
            const data::NamedTensors&,
            const std::string& source) override {
    model_.student.load(backbone, source);
  }
  std::int64_t images_per_sample() const override { return 2; }  // the frames of a clip
  std::int64_t frozen_bytes() const override {
    std::int64_t bytes = 0;
    if (model_.teacher) {
      for (const auto& [name, value] : model_.teacher->state())
        bytes += static_cast<std::int64_t>(value.nbytes());
    }
    return bytes;
  }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  std::unique_ptr<data::ClipLoader> open_loader(std::int64_t step) const override {
    const auto& o = options_;
    const data::SampleWindow window{o.batch_size, ranks_.rank, ranks_.size, o.seed};
    auto loader = o.loader;
    auto clips = o.clips;
    loader.pinned = !device_.is_cpu();
    clips.with_lab = device_.is_cpu();
    return with_key_in_errors("data.shards", [&] {
      return data::make_clip_loader(data::ShardSet::open(o.shards), loader, clips, window, step);
    });
  }

  StepOutcome losses(const data::ClipBatch& clips, MicroBatch at) override {
    models::TemporalModel::Batch batch;
    if (model_.teacher) batch.rgb = models::normalise_rgb(clips.rgb);
    batch.lab = clips.lab.defined() ? clips.lab : lab_of(clips.rgb);
    batch.dropped = dropped_channel(at.step);
    const auto losses = model_.losses(batch, ranks_);
    StepOutcome out;
    out.total = losses.total;
    out.losses = {{"total", losses.total.detach()},
                  {"reconstruction0", losses.reconstruction0.detach()},
                  {"reconstruction1", losses.reconstruction1.detach()},
                  {"local_distillation", losses.local_distillation.detach()},
                  {"global_distillation", losses.global_distillation.detach()}};
    if (losses.selected_fraction.defined()) {
      out.health = {{"selected_fraction", losses.selected_fraction},
                    {"local_entropy", losses.local_entropy}};
    }
    if (losses.teacher_entropy.defined())
      out.health.emplace_back("teacher_entropy", losses.teacher_entropy);
    return out;
  }

  static models::TemporalOptions model_options(const VideoTrainOptions& options,
                                               const data::NamedTensors& teacher) {
    models::TemporalOptions model;
    model.depth = options.depth;
    model.losses = options.resolved_losses();
    if (model.losses.global_weight != 0) {
      model.teacher_depth = with_key_in_errors(
          "model.teacher", [&] { return models::depth_of(teacher, options.teacher); });
    }
    return model;
  }

  at::Tensor lab_of(const at::Tensor& rgb) {
    if (!lab_) lab_.emplace(device_);
    return (*lab_)(rgb);
  }

  std::int64_t dropped_channel(std::int64_t step) const {
    data::CounterRandom random(
        options_.seed, data::Purpose::kDroppedChannel, 0, static_cast<std::uint64_t>(step));
    return random.integer(1, 2);
  }

  VideoTrainOptions options_;
  at::Device device_;
  std::optional<data::LabTable> lab_;  // on a GPU
  models::OverRanks ranks_;
  models::TemporalModel model_;
  std::string fingerprint_;
};

}  // namespace

std::unique_ptr<TrainingMethod> make_method(const VideoTrainOptions& options,
                                            dist::Communicator& device_ranks,
                                            at::Device device,
                                            std::unique_ptr<data::ClipLoader> loader,
                                            data::NamedTensors teacher) {
  if (options.losses.global_weight != 0 && (!options.teacher.empty() || teacher.empty())) {
    teacher =
        with_key_in_errors("model.teacher", [&] { return read_weights(options.teacher).tensors; });
  }
  return std::make_unique<TemporalMethod>(
      options, teacher, device_ranks, device, std::move(loader));
}

}  // namespace stc::launcher
