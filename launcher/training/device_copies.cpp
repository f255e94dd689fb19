#include "launcher/training/device_copies.h"

#include <ATen/ATen.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace stc::launcher {
namespace {

c10::Stream current_stream(at::Device device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

}  // namespace

Upload::Upload(at::Device device) : device_(device) {
  if (device.is_cpu()) return;
  stream_ = c10::impl::VirtualGuardImpl(device.type())
                .getStreamFromGlobalPool(device, /*isHighPriority=*/false);
}

at::Tensor Upload::start(const at::Tensor& host) const {
  if (!stream_ || !host.defined()) return host;
  const c10::StreamGuard beside(*stream_);
  return host.to(device_, /*non_blocking=*/true);
}

void Upload::finish(const at::Tensor& copy) const {
  if (!stream_ || !copy.defined()) return;
  c10::Event copied(device_.type());
  copied.record(*stream_);
  const auto here = current_stream(device_);
  copied.block(here);
  copy.record_stream(here);  // its memory is not given to another copy while this stream reads it
}

Download::Download(const at::Tensor& values) : host_(values) {
  if (values.is_cpu()) return;
  const auto pinned = at::TensorOptions(at::kCPU).dtype(values.scalar_type()).pinned_memory(true);
  host_ = at::empty(values.sizes(), pinned);
  host_.copy_(values, /*non_blocking=*/true);
  auto arrived = std::make_shared<c10::Event>(values.device().type());
  arrived->record(current_stream(values.device()));
  arrived_ = std::move(arrived);
}

const at::Tensor& Download::wait() const {
  if (arrived_) arrived_->synchronize();
  return host_;
}

}  // namespace stc::launcher
