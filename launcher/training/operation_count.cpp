#include "launcher/training/operation_count.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstring>
#include <map>
#include <mutex>
#include <string_view>

namespace stc::launcher {
namespace {

using Inputs = c10::ArrayRef<const c10::IValue>;

// The slot of LibTorch's thread-local state that backward's threads are given, too.
const auto kSlot = c10::DebugInfoKind::PRODUCER_INFO;

double count(std::int64_t number) { return static_cast<double>(number); }

/// Of one pass: every output cell (every input cell of a transposed one) meets the whole filter.
double pass(const at::Tensor& cells, const at::Tensor& weight, std::int64_t channels) {
  return 2 * count(cells.numel()) / count(channels) * count(weight.numel());
}

std::int64_t cells_along(std::int64_t size,
                         std::int64_t kernel,
                         std::int64_t stride,
                         std::int64_t padding,
                         std::int64_t dilation) {
  return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

// convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
double of_convolution(Inputs in) {
  const auto &input = in[0].toTensor(), &weight = in[1].toTensor();
  if (in[6].toBool()) return pass(input, weight, input.size(1));
  const auto stride = in[3].toIntVector(), padding = in[4].toIntVector(),
             dilation = in[5].toIntVector();
  // A list of one number holds for all dimensions.
  const auto at = [](const auto& list, std::size_t i) {
    return list.size() == 1 ? list[0] : list[i];
  };
  double cells = count(input.size(0));
  for (std::size_t i = 0; i + 2 < static_cast<std::size_t>(input.dim()); ++i) {
    const auto along = static_cast<std::int64_t>(i) + 2;
    cells *= count(cells_along(
        input.size(along), weight.size(along), at(stride, i), at(padding, i), at(dilation, i)));
  }
  return 2 * cells * count(weight.numel());
}

// convolution_backward(grad_output, input, weight, bias_sizes, stride, padding, dilation,
// transposed, output_padding, groups, output_mask): the gradients of input and weight cost a
// forward each.
double of_convolution_backward(Inputs in) {
  const auto& cells = in[in[7].toBool() ? 1 : 0].toTensor();
  const auto asked = in[10].toBoolList();
  return pass(cells, in[2].toTensor(), cells.size(1)) * ((asked[0] ? 1 : 0) + (asked[1] ? 1 : 0));
}

/// [.., m, k] times [.., k, n], or times [k].
double product(const at::Tensor& left, const at::Tensor& right) {
  return 2 * count(left.numel()) * (right.dim() > 1 ? count(right.size(-1)) : 1);
}
double of_product(Inputs in) { return product(in[0].toTensor(), in[1].toTensor()); }
double of_sum_with_product(Inputs in) { return product(in[1].toTensor(), in[2].toTensor()); }

using Formula = double (*)(Inputs inputs);

const std::map<std::string_view, Formula>& formulas() {
  static const std::map<std::string_view, Formula> all = {
      {"aten::convolution", of_convolution},
      {"aten::convolution_backward", of_convolution_backward},
      {"aten::mm", of_product},
      {"aten::bmm", of_product},
      {"aten::mv", of_product},
      {"aten::dot", of_product},
      {"aten::addmm", of_sum_with_product},
      {"aten::addmm_", of_sum_with_product},
      {"aten::baddbmm", of_sum_with_product},
      {"aten::baddbmm_", of_sum_with_product},
      {"aten::addmv", of_sum_with_product},
      {"aten::addmv_", of_sum_with_product}};
  return all;
}

bool on_device(const c10::IValue& value, at::DeviceType type) {
  return value.isTensor() && value.toTensor().defined() && value.toTensor().device().type() == type;
}

bool reads_on_host(std::string_view name, Inputs in, at::DeviceType type) {
  if (name == "aten::_local_scalar_dense") return on_device(in[0], type);
  if (type == at::kCPU) return false;
  if (name == "aten::nonzero") return on_device(in[0], type);
  return name == "aten::copy_" && on_device(in[0], at::kCPU) && on_device(in[1], type);
}

// Within a counted operator on this thread: what it calls is part of it.
thread_local int depth = 0;

struct Counted : at::ObserverContext {
  Counted() { ++depth; }
  ~Counted() override { --depth; }
};

}  // namespace

class OperationCount::Tally : public c10::DebugInfoBase {
 public:
  explicit Tally(at::DeviceType type) : type_(type) {}

  std::unique_ptr<at::ObserverContext> add(const at::RecordFunction& call) {
    const std::string_view name = call.name();
    if (!name.starts_with("aten::")) return nullptr;
    const auto formula = formulas().find(name);
    const bool counted = formula != formulas().end();
    const double operations = counted && depth == 0 ? formula->second(call.inputs()) : 0;
    const std::lock_guard lock(mutex_);
    ++operations_.aten_calls;
    if (reads_on_host(name, call.inputs(), type_)) ++operations_.host_reads;
    operations_.floating_point += operations;
    return counted ? std::make_unique<Counted>() : nullptr;
  }
  Operations so_far() const {
    const std::lock_guard lock(mutex_);
    return operations_;
  }

  static std::unique_ptr<at::ObserverContext> observe(const at::RecordFunction& call) {
    auto* tally = static_cast<Tally*>(c10::ThreadLocalDebugInfo::get(kSlot));
    return tally ? tally->add(call) : nullptr;
  }

 private:
  const at::DeviceType type_;
  mutable std::mutex mutex_;
  Operations operations_;
};

// The slot decides which count it is for, so one callback serves all of a thread's counts.
OperationCount::OperationCount(at::Device device)
    : outermost_(c10::ThreadLocalDebugInfo::get(kSlot) == nullptr),
      tally_(std::make_shared<Tally>(device.type())),
      in_place_(kSlot, tally_) {
  if (!outermost_) return;
  callback_ = at::addThreadLocalCallback(at::RecordFunctionCallback(&Tally::observe)
                                             .needsInputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
}

OperationCount::~OperationCount() {
  if (outermost_) at::removeCallback(callback_);
}

Operations OperationCount::so_far() const { return tally_->so_far(); }

}  // namespace stc::launcher
