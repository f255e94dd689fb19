#include "models/resnet.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <utility>

#include "monitoring/check.h"

namespace stc::models {
namespace {

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

constexpr std::int64_t kStemChannels = 64;

std::array<int, 4> blocks_of(int depth) {
  return depth == 50 ? std::array{3, 4, 6, 3} : std::array{2, 2, 2, 2};
}

// Channels within the blocks of a stage (from 0), and of its output.
std::int64_t width_of(int stage) { return kStemChannels << stage; }
std::int64_t channels_of(int stage, int depth) { return width_of(stage) * (depth == 50 ? 4 : 1); }

struct Convolution {
  std::int64_t in, out, kernel, stride;
};

// A bottleneck's last convolution widens, its middle one carries the stride.
std::vector<Convolution> chain_of(int depth, int stage, std::int64_t in, std::int64_t stride) {
  const auto width = width_of(stage), out = channels_of(stage, depth);
  if (depth == 18) return {{in, width, 3, stride}, {width, out, 3, 1}};
  return {{in, width, 1, 1}, {width, width, 3, stride}, {width, out, 1, 1}};
}

at::MemoryFormat format_of(const Arithmetic& arithmetic) {
  return arithmetic.channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
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

at::Tensor ConvNorm::forward(const at::Tensor& x,
                             BatchNormMode mode,
                             const OverRanks& ranks) const {
  const std::int64_t padding = weight.size(2) / 2;
  const auto& used = reduced_weight.defined() ? reduced_weight : weight;
  const auto y = at::conv2d(x, used, bias, {stride, stride}, {padding, padding});
  return bias.defined() ? y : batch_norm(y, norm, mode, ranks);
}

NamedTensorList ConvNorm::parameters() const {
  if (bias.defined()) return {{conv_name + ".weight", weight}, {conv_name + ".bias", bias}};
  return {{conv_name + ".weight", weight},
          {norm_name + ".weight", norm.weight},
          {norm_name + ".bias", norm.bias}};
}

NamedTensorList ConvNorm::buffers() const {
  if (bias.defined()) return {};
  return {{norm_name + ".running_mean", norm.running_mean},
          {norm_name + ".running_var", norm.running_var},
          {norm_name + ".num_batches_tracked", norm.batches_tracked}};
}

void ConvNorm::to(at::Device device, at::ScalarType dtype) {
  auto& [scale, shift, mean, variance, tracked] = norm;
  for (auto* value : {&weight, &scale, &shift, &mean, &variance, &bias}) {
    if (value->defined()) *value = moved(*value, device, dtype);
  }
}

void ConvNorm::fold(at::ScalarType dtype) {
  const auto [scale, shift] = affine_of(norm);
  weight = (weight.detach().to(at::kDouble) * scale.reshape({-1, 1, 1, 1})).to(dtype);
  bias = shift.to(dtype);
  norm = BatchNorm();
  reduced_weight.reset();
}

at::Tensor Block::forward(const at::Tensor& x, BatchNormMode mode, const OverRanks& ranks) const {
  at::Tensor y = chain.front().forward(x, mode, ranks);
  for (std::size_t i = 1; i < chain.size(); ++i) y = chain[i].forward(y.relu_(), mode, ranks);
  return y.add_(shortcut ? shortcut->forward(x, mode, ranks) : x).relu_();
}

ResNet::ResNet(const ResNetOptions& options, std::uint64_t seed, bool zero_last)
    : options_(options) {
  options.check();
  auto generator = at::detail::createCPUGenerator(seed);
  const auto layer = [&](const std::string& conv_name,
                         const std::string& norm_name,
                         const Convolution& c,
                         double norm_weight = 1) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(c.out * c.kernel * c.kernel));
    const auto weight = at::empty({c.out, c.in, c.kernel, c.kernel}, at::kFloat);
    weight.normal_(0.0, deviation, generator);
    return ConvNorm{conv_name, norm_name, c.stride, weight, BatchNorm::initial(c.out, norm_weight)};
  };
  stem_ = layer("conv1", "bn1", {3, kStemChannels, 7, 2});
  std::int64_t in = kStemChannels;
  for (int stage = 0; stage < 4; ++stage) {
    const auto out = channels_of(stage, options.depth);
    for (int index = 0; index < blocks_of(options.depth)[stage]; ++index) {
      const auto name = text("layer{}.{}.", stage + 1, index);
      const std::int64_t stride = index == 0 ? options.strides[stage] : 1;
      const auto chain = chain_of(options.depth, stage, in, stride);
      Block block;
      for (std::size_t i = 1; i <= chain.size(); ++i) {
        const double norm_weight = zero_last && i == chain.size() ? 0 : 1;
        block.chain.push_back(
            layer(text("{}conv{}", name, i), text("{}bn{}", name, i), chain[i - 1], norm_weight));
      }
      if (in != out)
        block.shortcut = layer(name + "downsample.0", name + "downsample.1", {in, out, 1, stride});
      stages_[stage].push_back(std::move(block));
      in = out;
    }
  }
}

std::vector<at::Tensor> ResNet::forward(const at::Tensor& images,
                                        int first,
                                        int last,
                                        BatchNormMode mode,
                                        const OverRanks& ranks) const {
  STC_CHECK(images.dim() == 4 && images.size(1) == 3,
            "images are {}; expected [N, 3, H, W]",
            images.sizes());
  STC_CHECK(mode == BatchNormMode::kEval || !stem_.bias.defined(),
            "a network with folded batch norms cannot train");
  const Autocast autocast(images.device().type(), arithmetic_.reduced);
  at::Tensor x = stem_.forward(images.contiguous(format_of(arithmetic_)), mode, ranks).relu_();
  if (options_.pool == StemPool::kMax) x = at::max_pool2d(x, 3, 2, 1);
  if (options_.pool == StemPool::kAverage) x = at::avg_pool2d(x, 3, 2, 1);
  std::vector<at::Tensor> outputs;
  for (int stage = 1; stage <= last; ++stage) {
    for (const auto& block : stages_[stage - 1]) x = block.forward(x, mode, ranks);
    if (stage >= first) outputs.push_back(x.to(images.scalar_type()));
  }
  return outputs;
}

std::int64_t ResNet::channels(int stage) const { return channels_of(stage - 1, options_.depth); }

void ResNet::load(const NamedTensors& weights, const std::string& source, int last_stage) {
  const auto owner = text("a ResNet-{}", options_.depth);
  const int depth = depth_of(weights, source);
  STC_CHECK_DATA(depth == options_.depth,
                 "{}: holds a ResNet-{}; expected the weights of {}",
                 source,
                 depth,
                 owner);
  auto own = state();
  const bool has_layer4 = weights.contains("layer4.0.conv1.weight");
  STC_CHECK_DATA(has_layer4 || last_stage < 4,
                 "{}: holds no layer4; expected all four stages, as training needs (evaluation "
                 "uses three)",
                 source);
  for (const auto& [name, value] : weights) {
    STC_CHECK_DATA(own.contains(name) || name.starts_with("fc."),
                   "{}: '{}' is not a tensor of {}",
                   source,
                   name,
                   owner);
  }
  std::erase_if(own, [&](const auto& entry) {
    if (entry.first.starts_with("layer4.") && !has_layer4) return true;
    return entry.first.ends_with("num_batches_tracked") && !weights.contains(entry.first);
  });
  copy_named(weights, own, source, owner + " under torchvision's names");
  refresh_reduced_weights();
}

template <typename Net, typename Visit>
void ResNet::each_layer(Net& net, const Visit& visit) {
  visit(net.stem_);
  for (auto& stage : net.stages_) {
    for (auto& block : stage) {
      for (auto& layer : block.chain) visit(layer);
      if (block.shortcut) visit(*block.shortcut);
    }
  }
}

NamedTensorList ResNet::all_of(NamedTensorList (ConvNorm::*part)() const) const {
  NamedTensorList all;
  each_layer(*this, [&](const ConvNorm& layer) {
    for (auto& named : (layer.*part)()) all.push_back(std::move(named));
  });
  return all;
}

NamedTensorList ResNet::parameters() const { return all_of(&ConvNorm::parameters); }
NamedTensorList ResNet::buffers() const { return all_of(&ConvNorm::buffers); }

NamedTensors ResNet::state() const {
  NamedTensors all;
  for (const auto& list : {parameters(), buffers()}) {
    for (const auto& [name, value] : list) all[name] = value.detach();
  }
  return all;
}

void ResNet::to(at::Device device, at::ScalarType dtype) {
  each_layer(*this, [&](ConvNorm& layer) { layer.to(device, dtype); });
}

void ResNet::set_requires_grad(bool value) {
  for (const auto& [name, parameter] : parameters()) parameter.set_requires_grad(value);
}

void ResNet::set_arithmetic(const Arithmetic& arithmetic) {
  arithmetic_ = arithmetic;
  each_layer(*this, [&](ConvNorm& layer) {
    const auto laid_out = layer.weight.detach().contiguous(format_of(arithmetic));
    laid_out.set_requires_grad(layer.weight.requires_grad());
    layer.weight = laid_out;
  });
}

ResNet ResNet::folded(at::ScalarType dtype) const {
  const at::NoGradGuard no_grad;
  ResNet net = *this;
  each_layer(net, [&](ConvNorm& layer) { layer.fold(dtype); });
  return net;
}

void ResNet::keep_reduced_weights() {
  STC_CHECK(arithmetic_.reduced, "the network computes in the type of its weights");
  each_layer(*this, [&](ConvNorm& layer) {
    layer.reduced_weight = layer.weight.detach().to(*arithmetic_.reduced);
  });
}

// All in a few launches.
void ResNet::refresh_reduced_weights() {
  if (!stem_.reduced_weight.defined()) return;
  std::vector<at::Tensor> copies, weights;
  each_layer(*this, [&](const ConvNorm& layer) {
    copies.push_back(layer.reduced_weight);
    weights.push_back(layer.weight.detach());
  });
  at::_foreach_copy_(copies, weights);
}

int depth_of(const NamedTensors& weights, const std::string& source) {
  STC_CHECK_DATA(weights.contains("layer1.0.conv1.weight"),
                 "{}: holds no ResNet; expected torchvision's names (conv1.weight, "
                 "layer1.0.conv1.weight, ...)",
                 source);
  const bool bottleneck = weights.contains("layer1.0.conv3.weight");
  const int depth = bottleneck ? 50 : 18;
  std::array<int, 4> blocks{};
  for (int stage = 0; stage < 4; ++stage) {
    while (weights.contains(text("layer{}.{}.conv1.weight", stage + 1, blocks[stage])))
      ++blocks[stage];
  }
  auto expected = blocks_of(depth);
  if (blocks[3] == 0) expected[3] = 0;  // some are published without their last stage
  STC_CHECK_DATA(blocks == expected,
                 "{}: a ResNet with {} {} blocks in its stages, but neither a ResNet-18 (2, 2, 2, "
                 "2) nor a ResNet-50 (3, 4, 6, 3, bottlenecks), the supported ones",
                 source,
                 joined(blocks, [](int count) { return std::to_string(count); }),
                 bottleneck ? "bottleneck" : "basic");
  return depth;
}

}  // namespace stc::models
