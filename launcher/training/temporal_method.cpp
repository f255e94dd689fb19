// Step 2 as the training loop sees it: pairs of frames in, reconstruction and distillation losses
// out.
#include <ATen/ATen.h>

#include <chrono>

#include "data/loading/loader.h"
#include "data/random.h"
#include "launcher/run_folder/checkpoint.h"
#include "launcher/training/method.h"
#include "launcher/training/rank_equality.h"
#include "models/spatial_model.h"
#include "models/temporal_model.h"
#include "monitoring/activity.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

using Clock = std::chrono::steady_clock;

class TemporalMethod : public Method {
 public:
  TemporalMethod(const VideoTrainOptions& options,
                 const data::NamedTensors& teacher,
                 dist::Communicator& world,
                 const std::string& device,
                 std::unique_ptr<data::ClipLoader> loader)
      : options_(options),
        world_(world),
        device_(device),
        model_(model_options(options, teacher), options.seed),
        loader_(std::move(loader)) {
    if (!options.init.empty()) {
      with_key("model.init",
               [&] { model_.student.load(read_weights(options.init), options.init); });
    }
    if (model_.teacher) {
      model_.teacher->load(teacher, options.teacher);
      fingerprint_ = text("teacher crc32c {}", checksum(teacher));
    }
    model_.to(device_, at::kFloat);
    model_.set_arithmetic(arithmetic_of(options));
    if (world.size() > 1) sum_ = [&world](const at::Tensor& t) { world.all_reduce(t); };
  }

  void start(std::int64_t step) override {
    if (loader_) return;
    loader_ = with_key("data.shards", [&] {
      return data::make_clip_loader(
          options_.shards,
          options_.loader,
          options_.clips,
          {options_.batch_size, world_.rank(), world_.size(), options_.seed},
          step);
    });
  }

  StepOutcome forward(std::int64_t step, std::int64_t micro_batch) override {
    StepOutcome out;
    if (micro_batch == 0) {
      const auto before = Clock::now();
      activity::enter(activity::Phase::kDataWait);
      clips_ = loader_->next();
      out.data_wait_seconds = std::chrono::duration<double>(Clock::now() - before).count();
    }
    activity::enter(activity::Phase::kForward);
    const auto rows = clips_.lab.size(0) / options_.accumulate, first = micro_batch * rows;
    out.samples.assign(clips_.samples.begin() + first, clips_.samples.begin() + first + rows);
    models::TemporalModel::Batch batch;
    if (model_.teacher)
      batch.rgb = models::normalise_rgb(clips_.rgb.narrow(0, first, rows).to(device_));
    batch.lab = clips_.lab.narrow(0, first, rows).to(device_);
    batch.dropped = dropped_channel(step);
    const auto losses = model_.losses(batch, sum_, world_.size());
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
    const auto named = [](const models::NamedTensorList& list) {
      return data::NamedTensors(list.begin(), list.end());
    };
    return {{"the weights", named(model_.student.parameters())},
            {"the running statistics", named(model_.student.buffers())}};
  }
  data::NamedTensors backbone_state() const override { return model_.student.state(); }
  data::NamedTensors method_state() const override { return {}; }
  void load(const data::NamedTensors& backbone,
            const data::NamedTensors&,
            const std::string& source) override {
    model_.student.load(backbone, source);
  }
  std::int64_t frozen_bytes() const override {
    std::int64_t bytes = 0;
    if (model_.teacher) {
      for (const auto& [name, value] : model_.teacher->state())
        bytes += static_cast<std::int64_t>(value.nbytes());
    }
    return bytes;
  }
  std::int64_t epoch_size() const override { return loader_->epoch_size(); }
  std::int64_t corrupt_samples() const override { return loader_->corrupt_samples(); }
  std::int64_t ready_batches() const override { return loader_->ready(); }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  static models::TemporalOptions model_options(const VideoTrainOptions& options,
                                               const data::NamedTensors& teacher) {
    models::TemporalOptions model;
    model.depth = options.depth;
    model.losses = options.resolved_losses();
    if (model.losses.global_weight != 0) {
      model.teacher_depth =
          with_key("model.teacher", [&] { return models::depth_of(teacher, options.teacher); });
    }
    return model;
  }

  std::int64_t dropped_channel(std::int64_t step) const {
    data::CounterRandom random(
        options_.seed, data::Purpose::kDroppedChannel, 0, static_cast<std::uint64_t>(step));
    return random.integer(1, 2);
  }

  VideoTrainOptions options_;
  dist::Communicator& world_;
  at::Device device_;
  models::TemporalModel model_;
  models::SumOverRanks sum_;
  std::string fingerprint_;
  std::unique_ptr<data::ClipLoader> loader_;
  data::ClipBatch clips_;  // of this step
};

}  // namespace

std::unique_ptr<Method> make_temporal_method(const VideoTrainOptions& options,
                                             dist::Communicator& world,
                                             const std::string& device,
                                             std::unique_ptr<data::ClipLoader> loader,
                                             data::NamedTensors teacher) {
  if (options.losses.global_weight != 0 && (!options.teacher.empty() || teacher.empty())) {
    teacher = with_key("model.teacher", [&] { return read_weights(options.teacher); });
  }
  return std::make_unique<TemporalMethod>(options, teacher, world, device, std::move(loader));
}

}  // namespace stc::launcher
