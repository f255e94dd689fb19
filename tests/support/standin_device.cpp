#include "tests/support/standin_device.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <array>
#include <cstdlib>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "monitoring/check.h"

namespace stc::test {
namespace {

constexpr auto kStandin = c10::DeviceType::PrivateUse1;
const c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);

// Its memory is the host's: what matters is whose tensor it is.
class Memory : public c10::DeviceAllocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = std::malloc(std::max<std::size_t>(bytes, 1));
    return {data, data, &std::free, at::Device(kStandin, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override {}
  void recordStream(const c10::DataPtr&, c10::Stream) override {}
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override { return {}; }
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override {}
};

Memory memory;

class Hooks : public at::PrivateUse1HooksInterface {
 public:
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::Allocator* getPinnedMemoryAllocator() const override { return c10::GetCPUAllocator(); }
  bool isPinnedPtr(const void*) const override { return true; }
};

at::Tensor empty(at::IntArrayRef size,
                 std::optional<at::ScalarType> type,
                 std::optional<at::Layout>,
                 std::optional<at::Device>,
                 std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &memory, kKeys, type.value_or(at::kFloat), format);
}

at::Tensor empty_strided(at::IntArrayRef size,
                         at::IntArrayRef stride,
                         std::optional<at::ScalarType> type,
                         std::optional<at::Layout>,
                         std::optional<at::Device>,
                         std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &memory, kKeys, type.value_or(at::kFloat));
}

// The same memory as a tensor of the CPU.
at::Tensor on_cpu(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  return at::from_blob(
      tensor.data_ptr(), tensor.sizes(), tensor.strides(), tensor.options().device(at::kCPU));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  on_cpu(to).copy_(on_cpu(from));
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  to.resize_(from.sizes());
  on_cpu(to).copy_(on_cpu(from));
  return to;
}

at::Scalar item(const at::Tensor& tensor) { return on_cpu(tensor).item(); }

at::Tensor as_strided(const at::Tensor& self,
                      at::IntArrayRef size,
                      at::IntArrayRef stride,
                      std::optional<std::int64_t> offset) {
  return at::native::as_strided_tensorimpl(self, size, stride, offset);
}

// A single number may be of the CPU, as for a GPU.
void check_device(const std::string& name, const at::Tensor& tensor) {
  TORCH_CHECK(!tensor.defined() || tensor.device().type() == kStandin || tensor.dim() == 0,
              name,
              ": expected all tensors to be on the same device, but one of size ",
              tensor.sizes(),
              " is on ",
              tensor.device());
}

void record_stream(at::Tensor&, at::Stream) {}

using Ints = c10::SymIntArrayRef;

std::vector<std::int64_t> plain(Ints ints) { return C10_AS_INTARRAYREF_SLOW(ints).vec(); }

at::Tensor convolution(const at::Tensor& input,
                       const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias,
                       Ints stride,
                       Ints padding,
                       Ints dilation,
                       bool transposed,
                       Ints output_padding,
                       c10::SymInt groups) {
  for (const auto& tensor : {input, weight, bias.value_or(at::Tensor())})
    check_device("convolution", tensor);
  const auto own_bias = bias && bias->defined() ? std::optional(on_cpu(*bias)) : std::nullopt;
  return at::convolution(on_cpu(input),
                         on_cpu(weight),
                         own_bias,
                         plain(stride),
                         plain(padding),
                         plain(dilation),
                         transposed,
                         plain(output_padding),
                         groups.expect_int())
      .to(input.device());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(const at::Tensor& grad,
                                                                    const at::Tensor& input,
                                                                    const at::Tensor& weight,
                                                                    Ints stride,
                                                                    Ints padding,
                                                                    Ints dilation,
                                                                    bool transposed,
                                                                    Ints output_padding,
                                                                    c10::SymInt groups,
                                                                    std::array<bool, 3> mask) {
  for (const auto& tensor : {grad, input, weight}) check_device("convolution_backward", tensor);
  const auto moved = [&](const at::Tensor& t) { return t.defined() ? t.to(input.device()) : t; };
  const std::vector<std::int64_t> bias_size = {weight.size(transposed ? 1 : 0)};
  const auto [of_input, of_weight, of_bias] = at::convolution_backward(on_cpu(grad),
                                                                       on_cpu(input),
                                                                       on_cpu(weight),
                                                                       bias_size,
                                                                       plain(stride),
                                                                       plain(padding),
                                                                       plain(dilation),
                                                                       transposed,
                                                                       plain(output_padding),
                                                                       groups.expect_int(),
                                                                       mask);
  return {moved(of_input), moved(of_weight), moved(of_bias)};
}

// Moves the running statistics in place, which its schema does not say: the fallback would move
// copies of them.
std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm(const at::Tensor& input,
                                                          const std::optional<at::Tensor>& weight,
                                                          const std::optional<at::Tensor>& bias,
                                                          const std::optional<at::Tensor>& mean,
                                                          const std::optional<at::Tensor>& variance,
                                                          bool training,
                                                          double momentum,
                                                          double epsilon) {
  const auto own = [](const std::optional<at::Tensor>& tensor) {
    if (!tensor || !tensor->defined()) return at::Tensor();
    check_device("native_batch_norm", *tensor);
    return on_cpu(*tensor);
  };
  const auto [out, saved_mean, saved_inverse] = at::native_batch_norm(
      own(input), own(weight), own(bias), own(mean), own(variance), training, momentum, epsilon);
  const auto device = input.device();
  return {out.to(device), saved_mean.to(device), saved_inverse.to(device)};
}

// Every other operator, on the CPU.
void compute(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& name = op.schema().name();
  const bool takes_indices = name.starts_with("aten::index") || name.starts_with("aten::_index");
  const auto count = op.schema().arguments().size();
  for (std::size_t i = 0; i < count && !takes_indices; ++i) {
    const auto& argument = (*stack)[stack->size() - count + i];
    if (argument.isTensor()) check_device(name, argument.toTensor());
    if (!argument.isTensorList()) continue;
    for (const at::Tensor& tensor : argument.toTensorList()) check_device(name, tensor);
  }
  at::native::cpu_fallback(op, stack);
}

}  // namespace

// One device. What is queued on a stream is done at once, so an event has always come.
class Guard : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return kStandin; }
  c10::Device exchangeDevice(c10::Device) const override { return getDevice(); }
  c10::Device getDevice() const override { return {kStandin, 0}; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  c10::Stream getStream(c10::Device device) const override { return stream(device, current_); }
  c10::Stream getDefaultStream(c10::Device device) const override { return stream(device, 0); }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool) const override {
    return stream(device, 1);
  }
  c10::Stream exchangeStream(c10::Stream next) const override {
    return stream(next.device(), std::exchange(current_, next.id()));
  }
  void record(void**, const c10::Stream&, c10::DeviceIndex, c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, c10::DeviceIndex) const noexcept override {}
  void synchronizeEvent(void*) const override {}

 private:
  static c10::Stream stream(c10::Device device, c10::StreamId id) {
    return c10::Stream(c10::Stream::UNSAFE, device, id);
  }
  static thread_local c10::StreamId current_;
};

thread_local c10::StreamId Guard::current_ = 0;

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&compute>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("_copy_from", &copy_from);
  library.impl("_copy_from_and_resize", &copy_from_and_resize);
  library.impl("_local_scalar_dense", &item);
  library.impl("as_strided", &as_strided);
  library.impl("view", TORCH_FN(at::native::view));
  library.impl("_reshape_alias", TORCH_FN(at::native::_reshape_alias));
  library.impl("resize_", TORCH_FN(at::native::resize_));
  library.impl("record_stream", &record_stream);
  library.impl("native_batch_norm", &batch_norm);
  library.impl("convolution_overrideable", &convolution);
  library.impl("convolution_backward_overrideable", &convolution_backward);
}

at::Device standin() {
  static const bool known = [] {
    c10::register_privateuse1_backend("standin");
    c10::SetAllocator(kStandin, &memory);
    static Hooks hooks;
    at::RegisterPrivateUse1HooksInterface(&hooks);
    return true;
  }();
  return {kStandin, static_cast<c10::DeviceIndex>(known ? 0 : -1)};
}

at::Tensor host_view(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.device().type() == kStandin,
              "No backend type associated with device type ",
              c10::DeviceTypeName(tensor.device().type(), /*lower_case=*/true));
  return on_cpu(tensor);
}

at::Device gpu_or_standin() { return at::hasCUDA() ? at::Device(at::kCUDA, 0) : standin(); }

}  // namespace stc::test
