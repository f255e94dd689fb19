#include "launcher/planning/dry_run.h"

#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "dist/collective_log.h"
#include "dist/communicator.h"
#include "launcher/training/method.h"
#include "launcher/training/random_loader.h"
#include "launcher/training/training_step.h"
#include "monitoring/check.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

using Log = std::shared_ptr<dist::CollectiveLog>;

/// Counts what this thread allocates and frees while it takes the place of LibTorch's profiler
/// (backward on the CPU runs on this thread too). Workspaces that kernels allocate elsewhere are
/// not counted.
class AllocationMeter : public c10::MemoryReportingInfoBase {
 public:
  /// Allocated and not yet freed; below 0 if older memory was freed.
  std::int64_t live() const {
    const std::lock_guard lock(mutex_);
    return live_;
  }
  /// Of live() so far, or since restart_peak().
  std::int64_t peak() const {
    const std::lock_guard lock(mutex_);
    return peak_;
  }
  void restart_peak() {
    const std::lock_guard lock(mutex_);
    peak_ = live_;
  }

 private:
  void reportMemoryUsage(
      void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device) override {
    const std::lock_guard lock(mutex_);
    live_ += bytes;
    peak_ = std::max(peak_, live_);
  }
  bool memoryProfilingEnabled() const override { return true; }

  mutable std::mutex mutex_;
  std::int64_t live_ = 0, peak_ = 0;
};

std::unique_ptr<TrainingMethod> dry_method(const PretrainOptions& options,
                                           dist::Communicator& ranks) {
  const auto rows = options.batch_size / ranks.size();
  auto pixels = std::make_unique<RandomLoader<data::ImageBatch>>(rows, options.images.size);
  return make_method(options, ranks, at::kCPU, std::move(pixels));
}

std::unique_ptr<TrainingMethod> dry_method(const VideoTrainOptions& options,
                                           dist::Communicator& ranks) {
  const auto rows = options.batch_size / ranks.size();
  auto pixels = std::make_unique<RandomLoader<data::ClipBatch>>(rows, options.clips.size);
  data::NamedTensors teacher;
  if (options.teacher.empty())
    teacher = models::ResNet(models::standard_options(options.depth), 0).state();
  return make_method(options, ranks, at::kCPU, std::move(pixels), teacher);
}

/// Bytes of the tensors whose name starts with `prefix`.
template <typename Tensors>
std::int64_t bytes_of(const Tensors& tensors, const std::string& prefix = "") {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) bytes += static_cast<std::int64_t>(tensor.nbytes());
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

/// A world whose collectives complete at once, and what was handed to them from a number on.
struct RecordedWorld {
  Log log = std::make_shared<dist::CollectiveLog>(1'000'000);
  std::shared_ptr<dist::Communicator> ranks;
  std::int64_t seen = 0;

  explicit RecordedWorld(const dist::World& place) : ranks(make_fake_communicator(place, log)) {}
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
/// taken for them; the guard's few numbers, which are not counted, through a third.
template <typename Options>
class DryRank {
 public:
  DryRank(const Options& options, int world)
      : host_(place_in(world)),
        forward_(place_in(world)),
        gradients_(place_in(world)),
        method_(dry_method(options, *forward_.ranks)),
        step_(*method_,
              {.optimizer = options.optimizer,
               .reducer = options.reducer,
               .micro_batches = options.accumulate,
               .on_phase = [this](activity::Phase phase) { enter(phase); }},
              *host_.ranks,
              *gradients_.ranks) {}

  DryRun run(std::int64_t batch) {
    step(0);  // builds the optimizer's state; c10d settles its buckets after it
    forward_.skip();
    gradients_.skip();
    step(1);
    result_.batch = batch;
    fill_memory();
    for (const auto& entry : forward_.later()) add(&result_.traffic, purpose_of(entry), entry);
    for (const auto& entry : gradients_.later()) {
      if (entry.verb != "all_reduce") continue;  // c10d announces the new buckets once
      add(&result_.traffic, "gradients", entry);
      const double seconds = seconds_between(backward_, entry.arrived);
      result_.buckets.push_back(
          {static_cast<double>(entry.bytes), std::clamp(seconds / backward_seconds_, 0.0, 1.0)});
    }
    return result_;
  }

 private:
  void step(std::int64_t number) {
    meter_->restart_peak();
    before_step_ = meter_->live();
    const auto result = step_.run(number, /*learning_rate=*/0);
    result_.logged_values = std::ssize(result.losses) + std::ssize(result.health);
  }

  void enter(activity::Phase phase) {
    if (phase == activity::Phase::kDataWait) before_forward_ = meter_->live();
    if (phase == activity::Phase::kBackward) {
      result_.memory.activations = meter_->live() - before_forward_;
      backward_ = steady_now();
    }
    if (phase == activity::Phase::kUpdate) {
      backward_seconds_ = seconds_since(backward_);
      result_.memory.peak = meter_->peak() - before_step_;
    }
  }

  void fill_memory() {
    auto& memory = result_.memory;
    const auto method = method_->method_state();
    memory.parameters = bytes_of(method_->parameters());
    for (const auto& [name, parameter] : method_->parameters())
      memory.gradients += static_cast<std::int64_t>(parameter.grad().nbytes());
    memory.optimizer = bytes_of(step_.optimizer.state());
    memory.queue = bytes_of(method, "queue");
    memory.frozen = bytes_of(method, "key.") + method_->frozen_bytes();
    memory.buffers =
        bytes_of(method_->backbone_state()) + bytes_of(method, "query.") - memory.parameters;
  }

  // First, so that the size of all that is freed later is seen.
  std::shared_ptr<AllocationMeter> meter_ = std::make_shared<AllocationMeter>();
  c10::DebugInfoGuard metering_{c10::DebugInfoKind::PROFILER_STATE, meter_};
  RecordedWorld host_, forward_, gradients_;
  std::unique_ptr<TrainingMethod> method_;
  TrainingStep step_;
  DryRun result_;
  std::int64_t before_step_ = 0, before_forward_ = 0;  // bytes in use
  SteadyTime backward_;
  double backward_seconds_ = 1;
};

template <typename Options>
DryRun run(const Options& options, int world) {
  STC_CHECK_USAGE(world >= 2 && options.batch_size % world == 0,
                  "a dry run of {} ranks at train.batch_size {}; expected at least 2 ranks and a "
                  "multiple of them",
                  world,
                  options.batch_size);
  return DryRank<Options>(options, world).run(options.batch_size / world);
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
