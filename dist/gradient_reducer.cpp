#include "dist/gradient_reducer.h"

#include <ATen/ATen.h>
#include <c10/util/hash.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/comm.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unordered_set>

#include "dist/group_communicator.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

using Parameters = GradientReducer::Parameters;
using Group = c10::intrusive_ptr<c10d::ProcessGroup>;

std::size_t bytes_of_mib(double mib) { return static_cast<std::size_t>(mib * 1024 * 1024); }

void check_parameters(const Parameters& parameters, const ReducerOptions& options) {
  STC_CHECK(!parameters.empty(), "GradientReducer needs at least one parameter");
  STC_CHECK_USAGE(options.first_bucket_mib > 0 && options.bucket_mib > 0,
                  "gradient buckets of {} and {} MiB; both must be above 0",
                  options.first_bucket_mib,
                  options.bucket_mib);
  for (const auto& [name, tensor] : parameters) {
    STC_CHECK(tensor.defined() && tensor.is_leaf() && tensor.requires_grad(),
              "parameter {} is not a leaf that requires a gradient",
              name);
  }
}

/// Ranks with different models would mix up gradients, or hang: reported at the start instead.
void check_equal_on_all_ranks(const Parameters& parameters, Communicator& world) {
  std::string all;
  for (const auto& [name, tensor] : parameters) {
    all += text("{} {} {} {}\n",
                name,
                tensor.sizes(),
                tensor.strides(),
                c10::toString(tensor.scalar_type()));
  }
  const auto digest = static_cast<std::int64_t>(std::hash<std::string>{}(all));
  const auto options = parameters.front().second.options().dtype(at::kLong).requires_grad(false);
  const at::Tensor least = at::full({1}, digest, options);
  const at::Tensor most = at::full({1}, digest, options);
  world.all_reduce(least, ReduceOp::kMin);
  world.all_reduce(most, ReduceOp::kMax);
  STC_CHECK(at::equal(least, most),
            "the parameters of rank {} ({}, the first is {}) differ from another rank's in name, "
            "shape, memory format or type; all ranks must build the same model",
            world.rank(),
            parameters.size(),
            parameters.front().first);
}

void broadcast_values(const Parameters& parameters, Communicator& world) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : parameters) {
    // Channels-last weights are dense but not contiguous.
    at::Tensor values = tensor.detach().contiguous();
    world.broadcast(values, 0);
    if (!values.is_same(tensor)) tensor.detach().copy_(values);
  }
}

/// Rounds a bucket's mean before it travels, and widens the sum when it is back. Divided first, so
/// that a sum over many ranks stays within half's range.
class Compression : public c10d::CppCommHookInterface<Group> {
 public:
  Compression(Group group, at::ScalarType type)
      : CppCommHookInterface(std::move(group)), type_(type) {}

  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override {
    const at::Tensor whole = bucket.getBufferRef();
    std::vector<at::Tensor> rounded = {(whole / state_->getSize()).to(type_)};
    const auto sent = state_->allreduce(rounded)->getFuture();
    return sent->then(
        [whole, sum = rounded[0]](c10::ivalue::Future& done) {
          if (done.hasError()) std::rethrow_exception(done.exception_ptr());
          whole.copy_(sum);
          return c10::IValue(whole);
        },
        c10::TensorType::get());
  }

 private:
  const at::ScalarType type_;
};

void compress(c10d::Reducer& reducer, const Group& group, const std::string& compression) {
  if (compression == "none") return;
  STC_CHECK_USAGE(compression == "bf16" || compression == "fp16",
                  "dist.compression is '{}'; expected none, bf16 or fp16",
                  compression);
  const auto type = compression == "bf16" ? at::kBFloat16 : at::kHalf;
  reducer.register_comm_hook(std::make_unique<Compression>(group, type));
}

/// Sizes of the buckets in the order in which they are ready. c10d refills the buckets after
/// the first step, in the order in which gradients really came, and closes each at its limit here:
/// with its own two limits the bucket of the first layers would get what is left over.
std::vector<std::int64_t> bucket_bytes(const std::vector<at::Tensor>& tensors,
                                       const std::vector<std::vector<std::size_t>>& buckets) {
  std::vector<std::int64_t> bytes;
  for (const auto& bucket : buckets) {
    std::int64_t sum = 0;
    for (const std::size_t i : bucket) sum += static_cast<std::int64_t>(tensors[i].nbytes());
    bytes.push_back(sum);
  }
  return bytes;
}

std::unique_ptr<c10d::Reducer> make_reducer(const Parameters& parameters,
                                            const Group& group,
                                            const ReducerOptions& options) {
  std::vector<at::Tensor> tensors;
  std::unordered_map<std::size_t, std::string> names;
  for (const auto& [name, tensor] : parameters) {
    names[tensors.size()] = name;
    tensors.push_back(tensor);
  }
  const std::size_t first = bytes_of_mib(options.first_bucket_mib);
  const std::size_t rest = bytes_of_mib(options.bucket_mib);
  auto buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(tensors, {first, rest}));
  std::reverse(buckets.begin(), buckets.end());  // gradients come from the last layer to the first
  const auto limits = bucket_bytes(tensors, buckets);
  const std::vector<bool> none_sparse(tensors.size(), false);
  return std::make_unique<c10d::Reducer>(std::move(tensors),
                                         std::move(buckets),
                                         group,
                                         none_sparse,
                                         static_cast<std::int64_t>(rest),
                                         /*find_unused_parameters=*/false,
                                         /*gradient_as_bucket_view=*/true,
                                         std::move(names),
                                         static_cast<std::int64_t>(first),
                                         /*skip_all_reduce_unused_params=*/false,
                                         /*use_python_reducer=*/false,
                                         /*bucket_bytes_cap_list=*/limits);
}

/// Names of the parameters that the graph of `loss` does not reach.
std::string unreached(const at::Tensor& loss, const Parameters& parameters) {
  std::unordered_set<const torch::autograd::Node*> seen;
  std::vector<const torch::autograd::Node*> open = {loss.grad_fn().get()};
  while (!open.empty()) {
    const torch::autograd::Node* node = open.back();
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    for (const auto& edge : node->next_edges()) open.push_back(edge.function.get());
  }
  std::string names;
  for (const auto& [name, tensor] : parameters) {
    if (seen.count(torch::autograd::impl::grad_accumulator(tensor).get()) == 0) {
      names += (names.empty() ? "" : ", ") + name;
    }
  }
  return names;
}

/// Checked on one rank as on many: over ranks, a gradient that never comes would stall its bucket.
void check_reached(const at::Tensor& loss, const Parameters& parameters) {
  const std::string missing = unreached(loss, parameters);
  STC_CHECK(missing.empty(),
            "the loss does not depend on {}; leave these parameters out of training, or add them "
            "to the loss",
            missing);
}

}  // namespace

struct GradientReducer::State {
  Parameters parameters;
  std::unique_ptr<c10d::Reducer> reducer;  // null for a world of one
  bool reached = false;                    // the first loss depends on all parameters

  // The graph of a training is the same in every step: walking it once is enough.
  void check_first(const at::Tensor& loss) {
    if (!reached) check_reached(loss, parameters);
    reached = true;
  }
};

GradientReducer::GradientReducer(Parameters parameters,
                                 Communicator& world,
                                 const ReducerOptions& options)
    : state_(std::make_unique<State>()) {
  check_parameters(parameters, options);
  state_->parameters = std::move(parameters);
  auto group = process_group_of(world);
  if (!group) return;
  check_equal_on_all_ranks(state_->parameters, world);
  broadcast_values(state_->parameters, world);
  state_->reducer = make_reducer(state_->parameters, group, options);
  compress(*state_->reducer, group, options.compression);
}

GradientReducer::~GradientReducer() = default;

void GradientReducer::zero() {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const auto& [name, tensor] : state_->parameters) {
    if (tensor.grad().defined()) gradients.push_back(tensor.grad());
  }
  if (!gradients.empty()) at::_foreach_zero_(gradients);
}

void GradientReducer::accumulate(const at::Tensor& loss) {
  state_->check_first(loss);
  loss.backward();  // the reducer ignores it until it is prepared
}

void GradientReducer::backward(const at::Tensor& loss) {
  state_->check_first(loss);
  if (!state_->reducer) {
    loss.backward();
    return;
  }
  state_->reducer->rebuild_buckets();
  state_->reducer->prepare_for_backward({});
  loss.backward();
  state_->reducer->check_finalized();
}

}  // namespace stc::dist
