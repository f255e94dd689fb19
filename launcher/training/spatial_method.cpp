// Step 1 as the training loop sees it: image pairs in, the contrastive loss out.
#include <ATen/ATen.h>

#include "data/shards/shard_set.h"
#include "launcher/run_folder/weights.h"
#include "launcher/training/feed.h"
#include "launcher/training/key_exchange.h"
#include "launcher/training/training_arithmetic.h"

namespace stc::launcher {
namespace {

class SpatialMethod : public FedMethod<data::ImageBatch> {
 public:
  SpatialMethod(const PretrainOptions& options,
                dist::Communicator& device_ranks,
                at::Device device,
                std::unique_ptr<data::ImageLoader> loader)
      : FedMethod({device, options.accumulate, std::move(loader)}),
        options_(options),
        device_(device),
        ranks_(device_ranks),
        model_(options.depth, options.spatial, options.seed) {
    if (!options.init.empty()) {
      with_key_in_errors("model.init", [&] {
        model_.query.trunk.load(read_weights(options.init).tensors, options.init);
      });
      model_.key.trunk.load(model_.query.trunk.state(), options.init);
    }
    model_.to(device);
    model_.set_arithmetic(arithmetic_of(options));
  }

  void after_backward() override { model_.enqueue(); }

  models::NamedTensorList parameters() const override { return model_.query.parameters(); }
  // Not the running statistics: each rank normalises by its own batch (docs/method.md 1.3).
  std::map<std::string, data::NamedTensors> shared_state() const override {
    return {{"the weights", by_name(model_.query.parameters())},
            {"the key encoder's weights", by_name(model_.key.parameters())},
            {"the queue", {{"queue", model_.queue.keys}}},
            {"the queue's pointer", {{"pointer", at::full({1}, model_.queue.pointer, at::kLong)}}}};
  }
  data::NamedTensors backbone_state() const override { return model_.query.trunk.state(); }
  data::InputColour input_colour() const override { return data::InputColour::kRgb; }
  data::NamedTensors method_state() const override { return model_.method_state(); }
  void load(const data::NamedTensors& backbone,
            const data::NamedTensors& method,
            const std::string& source) override {
    model_.query.trunk.load(backbone, source);
    model_.load_method_state(method, source);
  }

 private:
  std::unique_ptr<data::ImageLoader> open_loader(std::int64_t step) const override {
    const auto& o = options_;
    const data::SampleWindow window{o.batch_size, ranks_.rank(), ranks_.size(), o.seed};
    auto loader = o.loader;
    loader.pinned = !device_.is_cpu();
    return with_key_in_errors("data.shards", [&] {
      return data::make_image_loader(
          data::ShardSet::open(o.shards), loader, o.images, window, step);
    });
  }

  StepOutcome losses(const data::ImageBatch& batch, MicroBatch at) override {
    const auto exchange = make_key_exchange(ranks_,
                                            options_.seed,
                                            at.step * options_.accumulate + at.index,
                                            batch.query.size(0),
                                            options_.key_groups);
    const auto result = model_.loss(batch.query, batch.key, exchange);
    return {.total = result.loss,
            .losses = {{"total", result.loss.detach()}, {"contrastive", result.loss.detach()}},
            .health = {{"accuracy", result.accuracy}}};
  }

  PretrainOptions options_;
  at::Device device_;
  dist::Communicator& ranks_;
  models::SpatialModel model_;
};

}  // namespace

std::unique_ptr<TrainingMethod> make_method(const PretrainOptions& options,
                                            dist::Communicator& device_ranks,
                                            at::Device device,
                                            std::unique_ptr<data::ImageLoader> loader) {
  return std::make_unique<SpatialMethod>(options, device_ranks, device, std::move(loader));
}

}  // namespace stc::launcher
