#include "dist/gradient_reducer.h"

#include <ATen/ATen.h>
#include <c10/util/hash.h>

#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unordered_set>

#include "dist/group_communicator.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

using Parameters = GradientReducer::Parameters;

std::size_t bytes_of_mib(double mib) { return static_cast<std::size_t>(mib * 1024 * 1024); }

void check_parameters(const Parameters& parameters, const ReducerOptions& options) {
  STC_CHECK(!parameters.empty(), "GradientReducer needs at least one parameter");
  STC_CHECK_USAGE(options.first_bucket_mib > 0 && options.bucket_mib > 0,
                  "gradient buckets of ",
                  options.first_bucket_mib,
                  " and ",
                  options.bucket_mib,
                  " MiB; both must be above 0");
  for (const auto& [name, tensor] : parameters) {
    STC_CHECK(tensor.defined() && tensor.is_leaf() && tensor.requires_grad(),
              "parameter ",
              name,
              " is not a leaf that requires a gradient");
  }
}

/// Ranks that disagree on the model would mix up gradients, or hang: said at the start instead.
void check_equal_on_all_ranks(const Parameters& parameters, Communicator& world) {
  std::string all;
  for (const auto& [name, tensor] : parameters) {
    all += text(name, " ", tensor.sizes(), " ", c10::toString(tensor.scalar_type()), "\n");
  }
  const auto digest = static_cast<std::int64_t>(std::hash<std::string>{}(all));
  const auto options = parameters.front().second.options().dtype(at::kLong).requires_grad(false);
  const at::Tensor least = at::full({1}, digest, options);
  const at::Tensor most = at::full({1}, digest, options);
  world.all_reduce(least, ReduceOp::kMin);
  world.all_reduce(most, ReduceOp::kMax);
  STC_CHECK(
      at::equal(least, most),
      "the parameters of rank ",
      world.rank(),
      " (",
      parameters.size(),
      ", the first is ",
      parameters.front().first,
      ") differ from another rank's in name, shape or type; all ranks must build the same model");
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

std::unique_ptr<c10d::Reducer> make_reducer(const Parameters& parameters,
                                            c10::intrusive_ptr<c10d::ProcessGroup> group,
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
  // Gradients come in about the reverse order of parameters; after the first step the reducer sorts
  // buckets by the true one.
  std::reverse(buckets.begin(), buckets.end());
  const std::vector<bool> none_sparse(tensors.size(), false);
  return std::make_unique<c10d::Reducer>(std::move(tensors),
                                         std::move(buckets),
                                         std::move(group),
                                         none_sparse,
                                         static_cast<std::int64_t>(rest),
                                         /*find_unused_parameters=*/false,
                                         /*gradient_as_bucket_view=*/true,
                                         std::move(names),
                                         static_cast<std::int64_t>(first),
                                         /*skip_all_reduce_unused_params=*/false,
                                         /*use_python_reducer=*/false,
                                         /*bucket_bytes_cap_list=*/std::vector<std::int64_t>{});
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

}  // namespace

struct GradientReducer::State {
  Parameters parameters;
  std::unique_ptr<c10d::Reducer> reducer;  // null for a world of one
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
  state_->reducer = make_reducer(state_->parameters, std::move(group), options);
}

GradientReducer::~GradientReducer() = default;

void GradientReducer::zero() {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state_->parameters) {
    if (tensor.grad().defined()) tensor.grad().zero_();
  }
}

void GradientReducer::backward(const at::Tensor& loss) {
  // The same on one rank as on many, where a gradient that never comes would stall its bucket.
  const std::string missing = unreached(loss, state_->parameters);
  STC_CHECK(missing.empty(),
            "the loss does not depend on ",
            missing,
            "; leave these parameters out of training, or add them to the loss");
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
