#include "launcher/planning/dry_run.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>

#include "dist/fake_world.h"
#include "launcher/planning/allocation_meter.h"
#include "launcher/training/method.h"
#include "launcher/training/optimizer.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

using Clock = std::chrono::steady_clock;
using Log = std::shared_ptr<dist::CollectiveLog>;

template <typename Batch>
class RandomLoader : public data::Loader<Batch> {
 public:
  RandomLoader(std::int64_t batch, std::int64_t size) : batch_(batch), size_(size) {}
  Batch next() override;
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return batch_; }

 private:
  at::Tensor pixels(const std::vector<std::int64_t>& shape) const {
    return at::randint(0, 256, shape, at::kByte);
  }
  std::vector<std::int64_t> indices() const {
    std::vector<std::int64_t> all(batch_);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  const std::int64_t batch_, size_;
};

template <>
data::ImageBatch RandomLoader<data::ImageBatch>::next() {
  return {pixels({batch_, 3, size_, size_}), pixels({batch_, 3, size_, size_}), indices()};
}

template <>
data::ClipBatch RandomLoader<data::ClipBatch>::next() {
  const std::vector<std::int64_t> shape = {batch_, 2, 3, size_, size_};
  return {pixels(shape), at::rand(shape, at::kFloat) * 2 - 1, indices()};
}

std::unique_ptr<Method> make_method(const PretrainOptions& options, dist::Communicator& world) {
  return make_spatial_method(options,
                             world,
                             "cpu",
                             std::make_unique<RandomLoader<data::ImageBatch>>(
                                 options.batch_size / world.size(), options.images.size));
}

std::unique_ptr<Method> make_method(const VideoTrainOptions& options, dist::Communicator& world) {
  data::NamedTensors teacher;
  if (options.teacher.empty()) {
    teacher = models::ResNet(models::standard_options(options.depth), 0).state();
  }
  return make_temporal_method(options,
                              world,
                              "cpu",
                              std::make_unique<RandomLoader<data::ClipBatch>>(
                                  options.batch_size / world.size(), options.clips.size),
                              teacher);
}

std::int64_t bytes_of(const models::NamedTensorList& tensors) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += static_cast<std::int64_t>(tensor.nbytes());
  return bytes;
}

/// Of those whose name starts so.
std::int64_t bytes_of(const data::NamedTensors& tensors, const std::string& prefix) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) bytes += static_cast<std::int64_t>(tensor.nbytes());
  }
  return bytes;
}

// Batch norm over ranks and step 2's ratio sums are both sums in forward; a ratio's are scalars.
std::string purpose_of(const dist::Collective& entry) {
  constexpr std::int64_t kScalars = 16;
  if (entry.verb == "all_to_all") return "images (shuffle-BN)";
  if (entry.verb == "all_gather") return "keys";
  return entry.bytes <= kScalars ? "ratio sums of the loss" : "batch norm over ranks";
}

void add(std::vector<Traffic>* traffic, const std::string& purpose, const dist::Collective& entry) {
  for (Traffic& line : *traffic) {
    if (line.purpose != purpose || line.collective != entry.verb) continue;
    ++line.calls;
    line.bytes += entry.bytes;
    return;
  }
  traffic->push_back({purpose, entry.verb, 1, entry.bytes});
}

/// A world and what was handed to its collectives from a number on.
struct Recorded {
  Log log = std::make_shared<dist::CollectiveLog>(1'000'000);
  std::shared_ptr<dist::Communicator> world;
  std::int64_t seen = 0;

  explicit Recorded(const dist::World& place) : world(make_fake_communicator(place, log)) {}
  void skip() { seen = log->progress().arrived; }
  std::vector<dist::Collective> later() const {
    auto entries = log->recent();
    std::erase_if(entries, [this](const dist::Collective& entry) { return entry.number <= seen; });
    return entries;
  }
};

dist::World place_in(int world) {
  dist::World place;
  place.size = place.local_size = world;
  place.launcher = "none";
  return place;
}

/// Gradients travel through a world of their own, so that what else is summed in backward is not
/// taken for them.
template <typename Options>
class Rank {
 public:
  Rank(const Options& options, int world)
      : forward_(place_in(world)),
        gradients_(place_in(world)),
        method_(make_method(options, *forward_.world)),
        optimizer_(options.optimizer, method_->parameters()),
        reducer_(method_->parameters(), *gradients_.world, options.reducer),
        accumulate_(options.accumulate) {}

  DryRun run(std::int64_t batch) {
    step(0);  // builds the optimizer's state; c10d settles its buckets after it
    forward_.skip();
    gradients_.skip();
    step(1);
    DryRun result = step_;
    result.batch = batch;
    fill_memory(&result.memory);
    for (const auto& entry : forward_.later()) add(&result.traffic, purpose_of(entry), entry);
    for (const auto& entry : gradients_.later()) {
      if (entry.verb != "all_reduce") continue;  // c10d tells the new buckets once
      add(&result.traffic, "gradients", entry);
      const double seconds = std::chrono::duration<double>(entry.arrived - backward_).count();
      result.buckets.push_back(
          {static_cast<double>(entry.bytes), std::clamp(seconds / backward_seconds_, 0.0, 1.0)});
    }
    return result;
  }

 private:
  void step(std::int64_t number) {
    reducer_.zero();
    meter_.restart_peak();
    const std::int64_t before = meter_.live();
    for (std::int64_t micro_batch = 0; micro_batch < accumulate_; ++micro_batch) {
      const std::int64_t without = meter_.live();
      const auto outcome = method_->forward(number, micro_batch);
      step_.memory.activations = meter_.live() - without;
      step_.logged_values = std::ssize(outcome.losses) + std::ssize(outcome.health);
      backward_ = Clock::now();
      micro_batch + 1 < accumulate_ ? reducer_.accumulate(outcome.total)
                                    : reducer_.backward(outcome.total);
      backward_seconds_ = std::chrono::duration<double>(Clock::now() - backward_).count();
    }
    step_.memory.peak = meter_.peak() - before;
    method_->after_backward();
    optimizer_.step(0);
  }

  void fill_memory(RankMemory* memory) const {
    const auto method = method_->method_state();
    memory->parameters = bytes_of(method_->parameters());
    for (const auto& [name, parameter] : method_->parameters())
      memory->gradients += static_cast<std::int64_t>(parameter.grad().nbytes());
    memory->optimizer = bytes_of(optimizer_.state(), "");
    memory->queue = bytes_of(method, "queue");
    memory->frozen = bytes_of(method, "key.") + method_->frozen_bytes();
    memory->buffers =
        bytes_of(method_->backbone_state(), "") + bytes_of(method, "query.") - memory->parameters;
  }

  AllocationMeter meter_;  // first: it must see the size of all that is freed later
  Recorded forward_, gradients_;
  std::unique_ptr<Method> method_;
  Optimizer optimizer_;
  dist::GradientReducer reducer_;
  const std::int64_t accumulate_;
  DryRun step_;
  Clock::time_point backward_;
  double backward_seconds_ = 1;
};

template <typename Options>
DryRun run(const Options& options, int world) {
  STC_CHECK_USAGE(world >= 2 && options.batch_size % world == 0,
                  "a dry run of {} ranks at train.batch_size {}; expected at least 2 ranks and a "
                  "multiple of them",
                  world,
                  options.batch_size);
  return Rank<Options>(options, world).run(options.batch_size / world);
}

std::int64_t line_through(std::int64_t at2, std::int64_t at4, std::int64_t batch) {
  return at2 + (at4 - at2) / 2 * (batch - 2);
}

template <typename Options>
DryRun scaled(Options options, int world) {
  const std::int64_t batch = options.batch_size / world;
  if (batch <= 4) return run(options, world);
  options.batch_size = 2 * world;
  const DryRun two = run(options, world);
  options.batch_size = 4 * world;
  DryRun result = run(options, world);
  result.batch = batch;
  auto& memory = result.memory;
  memory.activations = line_through(two.memory.activations, memory.activations, batch);
  memory.peak = line_through(two.memory.peak, memory.peak, batch);
  for (std::size_t i = 0; i < result.traffic.size(); ++i)
    result.traffic[i].bytes = line_through(two.traffic.at(i).bytes, result.traffic[i].bytes, batch);
  return result;
}

}  // namespace

DryRun dry_run(const PretrainOptions& options, int world) { return run(options, world); }
DryRun dry_run(const VideoTrainOptions& options, int world) { return run(options, world); }
DryRun scaled_dry_run(const PretrainOptions& options, int world) { return scaled(options, world); }
DryRun scaled_dry_run(const VideoTrainOptions& options, int world) {
  return scaled(options, world);
}

}  // namespace stc::launcher
