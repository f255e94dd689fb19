#include "launcher/run_folder/checkpoint_writer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <chrono>
#include <exception>
#include <optional>

#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLongWaitSeconds = 1;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool fits(const at::Tensor& copy, const at::Tensor& value) {
  return copy.defined() && copy.scalar_type() == value.scalar_type() &&
         copy.sizes() == value.sizes() && copy.strides() == value.strides();
}

// Into tensors that are kept, in the layout of the state: a save allocates nothing but for the
// first time, and reorders nothing.
void copy_into(data::NamedTensors* copies, const data::NamedTensors& state) {
  const at::NoGradGuard no_grad;
  std::optional<at::Device> device;
  std::erase_if(*copies, [&](const auto& entry) { return !state.contains(entry.first); });
  for (const auto& [name, value] : state) {
    at::Tensor& copy = (*copies)[name];
    if (!fits(copy, value)) {
      copy = at::empty_like(value, value.options().device(at::kCPU).pinned_memory(value.is_cuda()));
    }
    copy.copy_(value, /*non_blocking=*/true);
    if (value.is_cuda()) device = value.device();
  }
  if (device) c10::impl::VirtualGuardImpl(device->type()).getStream(*device).synchronize();
}

}  // namespace

CheckpointWriter::CheckpointWriter(CheckpointStore& store, monitoring::Metrics& metrics)
    : store_(store), metrics_(metrics) {
  metrics_.begin_checkpoints();
}

CheckpointWriter::~CheckpointWriter() { wait(); }

void CheckpointWriter::save(std::int64_t step, const std::function<Checkpoint()>& state) {
  const auto start = Clock::now();
  wait_before(step);
  try {
    const Checkpoint live = state();
    copy_into(&copy_.model, live.model);
    copy_into(&copy_.method, live.method);
    copy_into(&copy_.optimizer, live.optimizer);
    copy_.step = step;
    copy_.state = live.state;
    writing_ = std::async(std::launch::async, [this] { return write(); });
  } catch (const std::exception& cause) {
    tell({text("checkpoint of step {} was not written: {}", step, first_line(cause.what()))});
  }
  metrics_.checkpoint_stall(seconds_since(start));
}

// On the writing thread.
CheckpointWriter::Outcome CheckpointWriter::write() {
  const auto start = Clock::now();
  Outcome outcome;
  try {
    outcome.bytes = store_.save(copy_);
  } catch (const std::exception& cause) {
    outcome.failure = first_line(cause.what());
  }
  outcome.seconds = seconds_since(start);
  return outcome;
}

void CheckpointWriter::wait_before(std::int64_t step) {
  if (!writing_.valid()) return;
  const auto start = Clock::now();
  const std::int64_t earlier = copy_.step;
  wait();
  const double waited = seconds_since(start);
  if (waited < kLongWaitSeconds) return;
  log::warning(
      "training waited {} s at step {} until the checkpoint of step {} was written: save less "
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
  if (writing_.valid()) tell(writing_.get());
  return failure_;
}

void CheckpointWriter::tell(const Outcome& outcome) {
  failure_ = outcome.failure;
  if (failure_.empty()) {
    metrics_.checkpoint(
        {static_cast<double>(copy_.step), outcome.seconds, static_cast<double>(outcome.bytes)});
    return;
  }
  metrics_.checkpoint_failed();
  log::error(
      "{}. Until a later save succeeds, a run that ends goes on from {}; make room or mend the "
      "disk, the next save tries again",
      failure_,
      store_.resume_point());
}

}  // namespace stc::launcher
