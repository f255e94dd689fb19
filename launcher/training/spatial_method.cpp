// Step 1 as the training loop sees it: image pairs in, the contrastive loss out.
#include <ATen/ATen.h>

#include <chrono>

#include "data/loading/loader.h"
#include "launcher/run_folder/checkpoint.h"
#include "launcher/training/key_exchange.h"
#include "launcher/training/method.h"
#include "monitoring/activity.h"

namespace stc::launcher {
namespace {

using Clock = std::chrono::steady_clock;

class SpatialMethod : public Method {
 public:
  SpatialMethod(const PretrainOptions& options,
                dist::Communicator& world,
                const std::string& device,
                std::unique_ptr<data::ImageLoader> loader)
      : options_(options),
        world_(world),
        device_(device),
        model_(options.depth, options.spatial, options.seed),
        loader_(std::move(loader)) {
    if (!options.init.empty()) {
      with_key("model.init",
               [&] { model_.query.trunk.load(read_weights(options.init), options.init); });
      model_.key.trunk.load(model_.query.trunk.state(), options.init);
    }
    model_.to(device_);
    model_.set_arithmetic(arithmetic_of(options));
  }

  void start(std::int64_t step) override {
    if (loader_) return;
    loader_ = with_key("data.shards", [&] {
      return data::make_image_loader(
          options_.shards,
          options_.loader,
          options_.images,
          {options_.batch_size, world_.rank(), world_.size(), options_.seed},
          step);
    });
  }

  StepOutcome forward(std::int64_t step, std::int64_t micro_batch) override {
    StepOutcome out;
    if (micro_batch == 0) {
      const auto before = Clock::now();
      activity::enter(activity::Phase::kDataWait);
      batch_ = loader_->next();
      out.data_wait_seconds = std::chrono::duration<double>(Clock::now() - before).count();
    }
    activity::enter(activity::Phase::kForward);
    const auto rows = batch_.query.size(0) / options_.accumulate, first = micro_batch * rows;
    out.samples.assign(batch_.samples.begin() + first, batch_.samples.begin() + first + rows);
    const auto draw = step * options_.accumulate + micro_batch;
    const auto exchange = make_key_exchange(world_, options_.seed, draw, rows, options_.key_groups);
    const auto result = model_.loss(batch_.query.narrow(0, first, rows).to(device_),
                                    batch_.key.narrow(0, first, rows).to(device_),
                                    exchange);
    out.total = result.loss;
    out.losses = {{"total", result.loss.detach()}, {"contrastive", result.loss.detach()}};
    out.health = {{"accuracy", result.accuracy}};
    return out;
  }

  void after_backward() override { model_.enqueue(); }

  models::NamedTensorList parameters() const override { return model_.query.parameters(); }
  // Not the running statistics: each rank normalises by its own batch (docs/method.md 1.3).
  std::map<std::string, data::NamedTensors> shared_state() const override {
    const auto named = [](const models::NamedTensorList& list) {
      return data::NamedTensors(list.begin(), list.end());
    };
    return {{"the weights", named(model_.query.parameters())},
            {"the key encoder's weights", named(model_.key.parameters())},
            {"the queue", {{"queue", model_.queue.keys}}},
            {"the queue's pointer", {{"pointer", at::full({1}, model_.queue.pointer, at::kLong)}}}};
  }
  data::NamedTensors backbone_state() const override { return model_.query.trunk.state(); }
  data::NamedTensors method_state() const override { return model_.method_state(); }
  void load(const data::NamedTensors& backbone,
            const data::NamedTensors& method,
            const std::string& source) override {
    model_.query.trunk.load(backbone, source);
    model_.load_method_state(method, source);
  }
  std::int64_t epoch_size() const override { return loader_->epoch_size(); }
  std::int64_t corrupt_samples() const override { return loader_->corrupt_samples(); }
  std::int64_t ready_batches() const override { return loader_->ready(); }

 private:
  PretrainOptions options_;
  dist::Communicator& world_;
  at::Device device_;
  models::SpatialModel model_;
  std::unique_ptr<data::ImageLoader> loader_;
  data::ImageBatch batch_;  // of this step
};

}  // namespace

std::unique_ptr<Method> make_spatial_method(const PretrainOptions& options,
                                            dist::Communicator& world,
                                            const std::string& device,
                                            std::unique_ptr<data::ImageLoader> loader) {
  return std::make_unique<SpatialMethod>(options, world, device, std::move(loader));
}

}  // namespace stc::launcher
