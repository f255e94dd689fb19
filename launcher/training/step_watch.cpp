#include "launcher/training/step_watch.h"

#include <ATen/record_function.h>
#include <torch/csrc/profiler/stubs/base.h>

#include <regex>
#include <utility>

#include "launcher/training/out_of_memory.h"
#include "launcher/training/profile.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {

std::optional<TracedSteps> traced_steps(const std::string& steps) {
  if (steps.empty()) return {};
  std::smatch found;
  TracedSteps traced;
  if (std::regex_match(steps, found, std::regex("([0-9]{1,18}):([0-9]{1,18})")))
    traced = {std::stoll(found[1]), std::stoll(found[2])};
  STC_CHECK_USAGE(traced.first >= 1 && traced.last >= traced.first,
                  "train.trace_steps is \"{}\"; expected FIRST:LAST with 1 <= FIRST <= LAST, the "
                  "first and the last step to trace, such as 100:105; empty: none",
                  steps);
  return traced;
}

/// A range of profiles from its construction to its end. Without a profile it costs nanoseconds.
class StepWatch::Range {
 public:
  explicit Range(const std::string& name) : nvtx_(torch::profiler::impl::cudaStubs()) {
    range_.before(name);
    if (nvtx_->enabled()) nvtx_->rangePush(name.c_str());
  }
  ~Range() {
    if (nvtx_->enabled()) nvtx_->rangePop();
  }
  Range(const Range&) = delete;

 private:
  const torch::profiler::impl::ProfilerStubs* nvtx_;  // of a build for CUDA; else not enabled
  at::RecordFunction range_{at::RecordScope::USER_SCOPE};
};

class StepWatch::Trace {
 public:
  Trace(c10::Device device, TracedSteps steps, std::string path)
      : device_(device), steps_(steps), path_(std::move(path)) {}
  ~Trace() {
    if (profile_) write();
  }
  Trace(const Trace&) = delete;

  // A resumed run may begin after the first step to trace.
  void begin_step(std::int64_t step) {
    if (!profile_ && step >= steps_.first && step <= steps_.last) {
      profile_ = std::make_unique<Profile>(device_);
      traced_.first = step;
    }
    traced_.last = step;
  }
  void end_step(std::int64_t step) {
    if (profile_ && step >= steps_.last) write();
  }

 private:
  // A trace that fails is no reason for a run to end.
  void write() {
    try {
      profile_->end();
      profile_->save(path_);
      log::info("trace of steps {} to {} in {}", traced_.first, traced_.last, path_);
    } catch (const std::exception& cause) {
      log::warning("no trace of steps {} to {}: {}", traced_.first, traced_.last, cause.what());
    }
    profile_.reset();
  }

  const c10::Device device_;
  const TracedSteps steps_;
  const std::string path_;
  TracedSteps traced_;
  std::unique_ptr<Profile> profile_;
};

StepWatch::StepWatch(const Options& options) : device_(options.device), samples_(options.samples) {
  if (const auto traced = traced_steps(options.trace_steps))
    trace_ = std::make_unique<Trace>(device_, *traced, options.trace_file);
  if (!device_.is_cpu()) memory_.emplace([device = device_] { return read_memory(device); });
}

StepWatch::~StepWatch() = default;

void StepWatch::begin_step(std::int64_t step) {
  step_ = step;
  activity::begin_step(step);
  if (memory_) memory_->begin_step();
  if (trace_) trace_->begin_step(step);
  // The name by which tools for such traces find the steps.
  in_step_ = std::make_unique<Range>(text("ProfilerStep#{}", step));
  if (!operations_) count_ = std::make_unique<OperationCount>(device_);
}

void StepWatch::enter(activity::Phase phase) {
  activity::enter(phase);
  if (memory_) memory_->enter(phase);
  in_phase_.reset();
  in_phase_ = std::make_unique<Range>(activity::name(phase));
}

void StepWatch::end_step() {
  if (count_) operations_ = count_->so_far();
  count_.reset();
  in_phase_.reset();
  in_step_.reset();
  if (trace_) trace_->end_step(step_);
  if (memory_) memory_->end_step();
}

std::optional<std::int64_t> StepWatch::memory_peak() const {
  if (!memory_) return {};
  return memory_->peak();
}

void StepWatch::throw_out_of_memory(const std::string& message) {
  FailedStep failed{.step = step_, .phase = activity::now().phase, .samples = samples_};
  if (memory_) {
    memory_->end_step();
    failed.between_steps = memory_->between_steps();
    failed.peaks = memory_->peaks();
  }
  throw Error(Exit::kFailed, out_of_memory_text(parse_failed_allocation(message), failed));
}

}  // namespace stc::launcher
