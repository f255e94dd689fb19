#include "models/spatial_model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <initializer_list>
#include <string>
#include <utility>

#include "models/made_once.h"
#include "monitoring/check.h"

namespace stc::models {
namespace {

constexpr int kTopStage = 4;

std::vector<at::Tensor> tensors_of(const NamedTensorList& list) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, value] : list) tensors.push_back(value.detach());
  return tensors;
}

}  // namespace

Embedder::Embedder(int depth, std::int64_t dimension, std::uint64_t seed)
    : trunk(standard_options(depth), seed) {
  const auto width = trunk.channels(kTopStage);
  auto generator = at::detail::createCPUGenerator(seed + 0x9e3779b97f4a7c15ULL);
  // PyTorch's default for a linear layer.
  const double bound = 1 / std::sqrt(static_cast<double>(width));
  const auto linear = [&](const std::string& name, std::int64_t out) {
    auto weight = at::empty({out, width}, at::kFloat).uniform_(-bound, bound, generator);
    auto bias = at::empty({out}, at::kFloat).uniform_(-bound, bound, generator);
    head.emplace_back(name + ".weight", weight);
    head.emplace_back(name + ".bias", bias);
  };
  linear("head.0", width);
  linear("head.2", dimension);
}

at::Tensor Embedder::forward(const at::Tensor& images) const {
  const auto top = trunk.forward(images, kTopStage, kTopStage, BatchNormMode::kTrain)[0];
  const auto hidden = at::linear(top.mean({2, 3}), head[0].second, head[1].second).relu_();
  return at::linear(hidden, head[2].second, head[3].second);
}

NamedTensorList Embedder::parameters() const {
  auto all = trunk.parameters();
  all.insert(all.end(), head.begin(), head.end());
  return all;
}

SpatialModel::SpatialModel(int depth, const SpatialOptions& options, std::uint64_t seed)
    : query(depth, options.dimension, seed),
      key(depth, options.dimension, seed),  // the same seed: the key encoder starts as a copy
      queue(KeyQueue::random(options.queue_size, options.dimension, seed + 1)),
      options_(options) {
  for (auto& [name, parameter] : query.parameters()) parameter.set_requires_grad(true);
}

ContrastiveLoss SpatialModel::loss(const at::Tensor& query_images,
                                   const at::Tensor& key_images,
                                   const KeyExchange& exchange) {
  const auto q = query.forward(normalise_rgb(query_images));
  if (fresh_keys_.empty()) move_key_encoder();
  at::Tensor all;
  {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> keys;
    for (const auto& group : exchange.shuffle(key_images).chunk(exchange.groups)) {
      keys.push_back(key.forward(normalise_rgb(group)));
    }
    all = exchange.collect(at::cat(keys));
  }
  fresh_keys_.push_back(all.unflatten(0, {-1, query_images.size(0)}));
  const auto own = all.narrow(0, exchange.own_first, query_images.size(0));
  return contrastive_loss(q, own, queue.keys, options_.temperature);
}

void SpatialModel::move_key_encoder() {
  const at::NoGradGuard no_grad;
  const auto from = tensors_of(query.parameters()), to = tensors_of(key.parameters());
  at::_foreach_mul_(to, options_.momentum);
  at::_foreach_add_(to, from, 1 - options_.momentum);
  key.trunk.refresh_reduced_weights();
}

// In the order of one large batch: rank by rank, then sample by sample.
void SpatialModel::enqueue() {
  queue.push(at::cat(fresh_keys_, 1).flatten(0, 1));
  fresh_keys_.clear();
}

void SpatialModel::set_arithmetic(const Arithmetic& arithmetic) {
  query.trunk.set_arithmetic(arithmetic);
  key.trunk.set_arithmetic(arithmetic);
  if (arithmetic.reduced == at::kBFloat16) key.trunk.keep_reduced_weights();
}

NamedTensors SpatialModel::method_state() const {
  NamedTensors state;
  for (const auto& [name, value] : query.head) state["query." + name] = value.detach();
  for (const auto& [name, value] : key.head) state["key." + name] = value;
  for (const auto& [name, value] : key.trunk.state()) state["key." + name] = value;
  state["queue"] = queue.keys;
  state["queue_pointer"] = at::full({1}, queue.pointer, at::kLong);
  return state;
}

void SpatialModel::load_method_state(const NamedTensors& state, const std::string& source) {
  const auto own = method_state();
  copy_named(state, own, source, "this configuration");
  key.trunk.refresh_reduced_weights();
  queue.pointer = own.at("queue_pointer").item<std::int64_t>();
}

void SpatialModel::to(at::Device device) {
  for (auto* encoder : {&query, &key}) {
    encoder->trunk.to(device, at::kFloat);
    for (auto& [name, value] : encoder->head) value = moved(value, device, at::kFloat);
  }
  queue.keys = queue.keys.to(device);
}

at::Tensor normalise_rgb(const at::Tensor& images) {
  static auto& known = *new MadeOnce<std::string, std::pair<at::Tensor, at::Tensor>>;
  const auto& [mean, deviation] = known.get(images.device().str(), [&] {
    const auto of_channels = [&](std::initializer_list<float> values) {
      return at::tensor(values, at::kFloat).view({3, 1, 1}).to(images.device());
    };
    return std::pair(of_channels({123.675, 116.28, 103.53}), of_channels({58.395, 57.12, 57.375}));
  });
  return (images.to(at::kFloat) - mean).div_(deviation);
}

}  // namespace stc::models
