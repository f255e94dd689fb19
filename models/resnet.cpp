#include "models/resnet.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "monitoring/check.h"

namespace stc::models {
namespace {

// Blocks a stage, and how a block is built, for both depths.
struct Plan {
  std::array<int, 4> blocks;
  bool bottleneck;
  int expansion() const { return bottleneck ? 4 : 1; }
};

Plan plan_of(int depth) {
  return depth == 50 ? Plan{{3, 4, 6, 3}, true} : Plan{{2, 2, 2, 2}, false};
}

/// Convolutions in a shorter type as long as it lives. The weights' copies in that type are dropped
/// at the end: the optimizer moves the weights themselves.
class Autocast {
 public:
  Autocast(at::DeviceType device, std::optional<at::ScalarType> reduced)
      : device_(device), on_(reduced.has_value()) {
    if (!on_) return;
    type_ = at::autocast::get_autocast_dtype(device);
    at::autocast::set_autocast_dtype(device, *reduced);
    at::autocast::set_autocast_enabled(device, true);
  }
  ~Autocast() {
    if (!on_) return;
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, false);
    at::autocast::set_autocast_dtype(device_, type_);
  }
  Autocast(const Autocast&) = delete;

 private:
  const at::DeviceType device_;
  const bool on_;
  at::ScalarType type_ = at::kFloat;
};

std::string block_name(int stage, int block) { return text("layer{}.{}.", stage, block); }

// One convolution of a residual block; the last of a bottleneck widens, the middle one carries the
// stride.
struct Convolution {
  std::int64_t in, out, kernel, stride;
};

std::vector<Convolution> convolutions(const Plan& plan,
                                      std::int64_t in,
                                      std::int64_t width,
                                      std::int64_t stride) {
  if (!plan.bottleneck) return {{in, width, 3, stride}, {width, width, 3, 1}};
  return {{in, width, 1, 1}, {width, width, 3, stride}, {width, width * 4, 1, 1}};
}

}  // namespace

void ResNetOptions::check() const {
  STC_CHECK_USAGE(depth == 18 || depth == 50, "model depth is {}; expected 18 or 50", depth);
  for (const auto stride : strides) {
    STC_CHECK_USAGE(stride >= 1, "a stage's stride is {}; expected at least 1", stride);
  }
}

ResNetOptions student_options(int depth) { return {depth, {1, 2, 2, 4}, StemPool::kNone}; }

ResNetOptions standard_options(int depth) { return {depth, {1, 2, 2, 2}, StemPool::kMax}; }

ResNetOptions propagation_options(int depth, int output_stride) {
  STC_CHECK_USAGE(output_stride == 8 || output_stride == 4,
                  "output stride is {}; expected 8 or 4",
                  output_stride);
  if (output_stride == 8) return {depth, {1, 2, 2, 1}, StemPool::kNone};
  return {depth, {1, 1, 1, 1}, StemPool::kAverage};
}

ResNet::ResNet(const ResNetOptions& options, std::uint64_t seed, bool zero_last)
    : options_(options) {
  options.check();
  auto generator = at::detail::createCPUGenerator(seed);
  const auto convolution = [&](const std::string& name, const Convolution& c) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(c.out * c.kernel * c.kernel));
    auto weight = at::empty({c.out, c.in, c.kernel, c.kernel}, at::kFloat);
    add(name + ".weight", weight.normal_(0.0, deviation, generator), true);
  };
  convolution("conv1", {3, 64, 7, 2});
  add_norm("bn1", 64, 1);

  const Plan plan = plan_of(options.depth);
  std::int64_t in = 64;
  for (int stage = 1; stage <= 4; ++stage) {
    const std::int64_t width = 64 << (stage - 1);
    for (int block = 0; block < plan.blocks[stage - 1]; ++block) {
      const std::int64_t stride = block == 0 ? options.strides[stage - 1] : 1;
      const auto name = block_name(stage, block);
      const auto chain = convolutions(plan, in, width, stride);
      for (std::size_t i = 0; i < chain.size(); ++i) {
        convolution(text("{}conv{}", name, i + 1), chain[i]);
        add_norm(
            text("{}bn{}", name, i + 1), chain[i].out, zero_last && i + 1 == chain.size() ? 0 : 1);
      }
      const std::int64_t out = width * plan.expansion();
      if (block == 0 && (in != out || stage > 1)) {
        convolution(name + "downsample.0", {in, out, 1, stride});
        add_norm(name + "downsample.1", out, 1);
      }
      in = out;
    }
  }
}

void ResNet::add(const std::string& name, at::Tensor value, bool trained) {
  auto& list = trained ? parameters_ : buffers_;
  places_[name] = {trained, list.size()};
  list.emplace_back(name, std::move(value));
}

void ResNet::add_norm(const std::string& name, std::int64_t channels, double weight) {
  add(name + ".weight", at::full({channels}, weight, at::kFloat), true);
  add(name + ".bias", at::zeros({channels}, at::kFloat), true);
  add(name + ".running_mean", at::zeros({channels}, at::kFloat), false);
  add(name + ".running_var", at::ones({channels}, at::kFloat), false);
  add(name + ".num_batches_tracked", at::zeros({}, at::kLong), false);
}

const at::Tensor& ResNet::at(const std::string& name) const {
  const auto [trained, index] = places_.at(name);
  return (trained ? parameters_ : buffers_)[index].second;
}

BatchNorm ResNet::norm(const std::string& name) const {
  return {at(name + ".weight"),
          at(name + ".bias"),
          at(name + ".running_mean"),
          at(name + ".running_var"),
          at(name + ".num_batches_tracked")};
}

struct ResNet::Pass {
  const ResNet& net;
  BatchNormMode mode;
  const SumOverRanks& sum;

  at::Tensor conv_norm(const at::Tensor& x,
                       const std::string& conv,
                       const std::string& norm,
                       std::int64_t stride) const {
    const auto& weight = net.at(conv + ".weight");
    const std::int64_t padding = weight.size(2) / 2;
    const auto y = at::conv2d(x, weight, {}, {stride, stride}, {padding, padding});
    return batch_norm(y, net.norm(norm), mode, sum);
  }

  at::Tensor block(const at::Tensor& x, const std::string& name, std::int64_t stride) const {
    const int chain = net.options_.depth == 50 ? 3 : 2;
    const int strided = chain == 3 ? 2 : 1;
    at::Tensor y = x;
    for (int i = 1; i <= chain; ++i) {
      y = conv_norm(
          y, text("{}conv{}", name, i), text("{}bn{}", name, i), i == strided ? stride : 1);
      if (i < chain) y.relu_();
    }
    const bool shortcut = net.places_.contains(name + "downsample.0.weight");
    const auto identity =
        shortcut ? conv_norm(x, name + "downsample.0", name + "downsample.1", stride) : x;
    return y.add_(identity).relu_();
  }
};

std::vector<at::Tensor> ResNet::forward(const at::Tensor& images,
                                        int first,
                                        int last,
                                        BatchNormMode mode,
                                        const SumOverRanks& sum) const {
  STC_CHECK(images.dim() == 4 && images.size(1) == 3,
            "images are {}; expected [N, 3, H, W]",
            images.sizes());
  const Autocast autocast(images.device().type(), arithmetic_.reduced);
  const Pass pass{*this, mode, sum};
  const auto format =
      arithmetic_.channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  at::Tensor x = pass.conv_norm(images.contiguous(format), "conv1", "bn1", 2).relu_();
  if (options_.pool == StemPool::kMax) x = at::max_pool2d(x, 3, 2, 1);
  if (options_.pool == StemPool::kAverage) x = at::avg_pool2d(x, 3, 2, 1);
  const Plan plan = plan_of(options_.depth);
  std::vector<at::Tensor> outputs;
  for (int stage = 1; stage <= last; ++stage) {
    for (int block = 0; block < plan.blocks[stage - 1]; ++block) {
      x = pass.block(x, block_name(stage, block), block == 0 ? options_.strides[stage - 1] : 1);
    }
    if (stage >= first) outputs.push_back(x.to(images.scalar_type()));
  }
  return outputs;
}

std::int64_t ResNet::channels(int stage) const {
  return (64 << (stage - 1)) * plan_of(options_.depth).expansion();
}

void ResNet::load(const std::map<std::string, at::Tensor>& weights, const std::string& source) {
  const int depth = depth_of(weights, source);
  STC_CHECK_DATA(depth == options_.depth,
                 "{}: holds a ResNet-{}; expected the weights of a ResNet-{}",
                 source,
                 depth,
                 options_.depth);
  const auto optional = [](const std::string& name) {
    return name.ends_with("num_batches_tracked");
  };
  for (const auto* list : {&parameters_, &buffers_}) {
    for (const auto& [name, own] : *list) {
      const auto given = weights.find(name);
      STC_CHECK_DATA(
          given != weights.end() || optional(name),
          "{}: '{}' is missing; expected the weights of a ResNet-{} under torchvision's names",
          source,
          name,
          options_.depth);
      STC_CHECK_DATA(given == weights.end() || given->second.sizes() == own.sizes(),
                     "{}: '{}' is {}; expected {} for a ResNet-{}",
                     source,
                     name,
                     given->second.sizes(),
                     own.sizes(),
                     options_.depth);
    }
  }
  for (const auto& [name, value] : weights) {
    STC_CHECK_DATA(places_.contains(name) || name.starts_with("fc."),
                   "{}: '{}' is no tensor of a ResNet-{}",
                   source,
                   name,
                   options_.depth);
  }
  const at::NoGradGuard no_grad;
  for (auto* list : {&parameters_, &buffers_}) {
    for (auto& [name, own] : *list) {
      if (const auto given = weights.find(name); given != weights.end()) own.copy_(given->second);
    }
  }
}

std::map<std::string, at::Tensor> ResNet::state() const {
  std::map<std::string, at::Tensor> all;
  for (const auto* list : {&parameters_, &buffers_}) {
    for (const auto& [name, value] : *list) all[name] = value.detach();
  }
  return all;
}

void ResNet::to(at::Device device, at::ScalarType dtype) {
  for (auto* list : {&parameters_, &buffers_}) {
    for (auto& [name, value] : *list) {
      const bool trained = value.requires_grad();
      value = value.detach().to(device, value.is_floating_point() ? dtype : value.scalar_type());
      value.set_requires_grad(trained);
    }
  }
}

void ResNet::set_requires_grad(bool value) {
  for (auto& [name, parameter] : parameters_) parameter.set_requires_grad(value);
}

int depth_of(const std::map<std::string, at::Tensor>& weights, const std::string& source) {
  STC_CHECK_DATA(
      weights.contains("conv1.weight") && weights.contains("layer1.0.conv1.weight"),
      "{}: holds no ResNet under torchvision's names (conv1.weight, layer1.0.conv1.weight, ...)",
      source);
  const bool bottleneck = weights.contains("layer1.0.conv3.weight");
  const bool deep =
      weights.contains("layer3.5.conv1.weight") && !weights.contains("layer3.6.conv1.weight");
  const bool shallow = !weights.contains("layer1.2.conv1.weight");
  STC_CHECK_DATA(bottleneck ? deep : shallow,
                 "{}: a ResNet, but neither ResNet-18 nor ResNet-50, which are the ones supported",
                 source);
  return bottleneck ? 50 : 18;
}

}  // namespace stc::models
