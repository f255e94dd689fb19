#include "launcher/run_folder/checkpoint_writer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "monitoring/check.h"
#include "monitoring/log.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

constexpr double kLongWaitSeconds = 1;

bool fits(const at::Tensor& copy, const at::Tensor& value) {
  return copy.defined() && copy.scalar_type() == value.scalar_type() &&
         copy.sizes() == value.sizes() && copy.strides() == value.strides();
}

// In the memory of an earlier copy and the layout of the state: only the first save allocates, and
// none reorders.
data::NamedTensors copy_of(const data::NamedTensors& state, data::NamedTensors earlier) {
  const at::NoGradGuard no_grad;
  std::optional<at::Device> device;
  std::erase_if(earlier, [&](const auto& entry) { return !state.contains(entry.first); });
  for (const auto& [name, value] : state) {
    at::Tensor& copy = earlier[name];
    if (!fits(copy, value)) {
      copy = at::empty_like(value, value.options().device(at::kCPU).pinned_memory(value.is_cuda()));
    }
    copy.copy_(value, /*non_blocking=*/true);
    if (value.is_cuda()) device = value.device();
  }
  if (device) c10::impl::VirtualGuardImpl(device->type()).getStream(*device).synchronize();
  return earlier;
}

}  // namespace

CheckpointWriter::CheckpointWriter(CheckpointStore& store, monitoring::Metrics& metrics)
    : store_(store), metrics_(metrics) {
  metrics_.begin_checkpoints();
}

CheckpointWriter::~CheckpointWriter() { wait(); }

void CheckpointWriter::save(std::int64_t step, const std::function<Checkpoint()>& state) {
  const Stopwatch clock;
  wait_before(step);
  try {
    const Checkpoint live = state();
    copy_.model = copy_of(live.model, std::move(copy_.model));
    copy_.method = copy_of(live.method, std::move(copy_.method));
    copy_.optimizer = copy_of(live.optimizer, std::move(copy_.optimizer));
    copy_.step = step;
    copy_.state = live.state;
    copy_.input = live.input;
    writing_ = std::async(std::launch::async, [this] { return write(); });
  } catch (const std::exception& cause) {
    report({text("checkpoint of step {} was not written: {}", step, first_line(cause.what()))});
  }
  metrics_.checkpoint_stall(clock.seconds());
}

// On the writing thread.
CheckpointWriter::Outcome CheckpointWriter::write() {
  const Stopwatch clock;
  Outcome outcome;
  try {
    outcome.bytes = store_.save(copy_);
  } catch (const std::exception& cause) {
    outcome.failure = first_line(cause.what());
  }
  outcome.seconds = clock.seconds();
  return outcome;
}

void CheckpointWriter::wait_before(std::int64_t step) {
  if (!writing_.valid()) return;
  const Stopwatch clock;
  const std::int64_t earlier = copy_.step;
  wait();
  const double waited = clock.seconds();
  if (waited < kLongWaitSeconds) return;
  log::warning(
      "training waited {} s at step {} until the checkpoint of step {} was written; save less "
      "often (checkpoint.every_steps, checkpoint.every_minutes) or use a faster disk",
      waited,
      step,
      earlier);
}

void CheckpointWriter::poll() {
  const bool ended =
      writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  if (ended) wait();
}

std::string CheckpointWriter::wait() {
  if (writing_.valid()) report(writing_.get());
  return failure_;
}

void CheckpointWriter::report(const Outcome& outcome) {
  failure_ = outcome.failure;
  if (failure_.empty()) {
    metrics_.checkpoint(
        {static_cast<double>(copy_.step), outcome.seconds, static_cast<double>(outcome.bytes)});
    return;
  }
  metrics_.checkpoint_failed();
  log::error(
      "{}. Until a later save succeeds, a run that ends resumes from {}; make room or repair the "
      "disk, the next save tries again",
      failure_,
      store_.resume_point());
}

}  // namespace stc::launcher
