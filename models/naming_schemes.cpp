#include "models/naming_schemes.h"

#include <array>

#include "monitoring/check.h"

namespace stc::models {
namespace {

constexpr char kNorm[] = "(weight|bias|running_mean|running_var|num_batches_tracked)";

NamingRule rule(const std::string& pattern, const std::string& ours) {
  return {std::regex(pattern), ours};
}

// "0.0" as a pattern.
std::string escaped(const std::string& name) {
  return std::regex_replace(name, std::regex("\\."), "\\.");
}

// Torchvision's names within the blocks; stem and stages are called otherwise.
NamingScheme with_usual_blocks(const std::string& name,
                               const std::string& conv,
                               const std::string& norm,
                               const std::array<std::string, 4>& stages) {
  NamingScheme scheme{name, stages[0] + ".0.conv1.weight", {}, {}, "", ""};
  scheme.rules.push_back(rule(escaped(conv) + "\\.weight", "conv1.weight"));
  scheme.rules.push_back(rule(escaped(norm) + "\\." + kNorm, "bn1.$1"));
  std::string trunk = text("({}|{}", escaped(conv), escaped(norm));
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const auto block = text("{}\\.(\\d+)\\.", escaped(stages[i]));
    const auto ours = text("layer{}.$1.", i + 1);
    scheme.rules.push_back(rule(block + "(conv[1-3]|downsample\\.0)\\.weight", ours + "$2.weight"));
    scheme.rules.push_back(rule(block + "(bn[1-3]|downsample\\.1)\\." + kNorm, ours + "$2.$3"));
    trunk += "|" + escaped(stages[i]);
  }
  scheme.trunk = std::regex(trunk + ")\\..*");
  return scheme;
}

// nn.Sequential(padding, convolution) where torchvision has a convolution that pads.
NamingScheme with_padding_layers() {
  return {"CRW",
          "layer1.0.conv1.1.weight",
          std::regex("(conv1|bn1|layer[1-4])\\..*"),
          {rule("(|layer[1-4]\\.\\d+\\.)(conv[1-3]|downsample\\.0)(\\.1)?\\.weight", "$1$2.weight"),
           rule(text("(|layer[1-4]\\.\\d+\\.)(bn[1-3]|downsample\\.1)\\.{}", kNorm), "$1$2.$3")},
          "rgb",
          ""};
}

// A ConvModule has a conv and a bn.
NamingScheme mmcv() {
  const std::string block = "(|layer[1-4]\\.\\d+\\.)";
  return {"mmcv",
          "layer1.0.conv1.conv.weight",
          std::regex("(conv1|layer[1-4])\\..*"),
          {rule(block + "(conv[1-3])\\.conv\\.weight", "$1$2.weight"),
           rule(block + "conv([1-3])\\.bn\\." + kNorm, "$1bn$2.$3"),
           rule(block + "downsample\\.conv\\.weight", "$1downsample.0.weight"),
           rule(block + "downsample\\.bn\\." + kNorm, "$1downsample.1.$2")},
          "",
          ""};
}

NamingScheme hugging_face() {
  NamingScheme scheme{"Hugging Face",
                      "encoder.stages.0.layers.0.layer.0.convolution.weight",
                      std::regex("(embedder|encoder)\\..*"),
                      {rule("embedder\\.embedder\\.convolution\\.weight", "conv1.weight"),
                       rule(text("embedder\\.embedder\\.normalization\\.{}", kNorm), "bn1.$1")},
                      "rgb",
                      ""};
  for (int stage = 0; stage < 4; ++stage) {
    const auto block = text("encoder\\.stages\\.{}\\.layers\\.(\\d+)\\.", stage);
    const auto ours = text("layer{}.$1.", stage + 1);
    for (int i = 0; i < 3; ++i) {
      const auto link = text("{}layer\\.{}\\.", block, i);
      scheme.rules.push_back(
          rule(link + "convolution\\.weight", text("{}conv{}.weight", ours, i + 1)));
      scheme.rules.push_back(
          rule(text("{}normalization\\.{}", link, kNorm), text("{}bn{}.$2", ours, i + 1)));
    }
    scheme.rules.push_back(
        rule(block + "shortcut\\.convolution\\.weight", ours + "downsample.0.weight"));
    scheme.rules.push_back(
        rule(text("{}shortcut\\.normalization\\.{}", block, kNorm), ours + "downsample.1.$2"));
  }
  return scheme;
}

NamingScheme detectron2() {
  NamingScheme scheme{"detectron2",
                      "res2.0.conv1.weight",
                      std::regex("(stem|res[2-5])\\..*"),
                      {rule("stem\\.conv1\\.weight", "conv1.weight"),
                       rule(text("stem\\.conv1\\.norm\\.{}", kNorm), "bn1.$1")},
                      "rgb",
                      "detectron2's own models take BGR pixels without normalisation, and may have "
                      "the stride in the first convolution of a block; here it takes RGB by "
                      "ImageNet's mean, and the second convolution has the stride"};
  for (int stage = 1; stage <= 4; ++stage) {
    const auto block = text("res{}\\.(\\d+)\\.", stage + 1);
    const auto ours = text("layer{}.$1.", stage);
    scheme.rules.push_back(rule(block + "(conv[1-3])\\.weight", ours + "$2.weight"));
    scheme.rules.push_back(rule(block + "conv([1-3])\\.norm\\." + kNorm, ours + "bn$2.$3"));
    scheme.rules.push_back(rule(block + "shortcut\\.weight", ours + "downsample.0.weight"));
    scheme.rules.push_back(rule(block + "shortcut\\.norm\\." + kNorm, ours + "downsample.1.$2"));
  }
  return scheme;
}

// Its batch norms over parts of a batch keep the statistics of the whole under "bn".
NamingScheme slowfast() {
  const auto norm = text("_bn\\.(?:bn\\.)?{}", kNorm);
  NamingScheme scheme{"SlowFast",
                      "s2.pathway0_res0.branch2.a.weight",
                      std::regex("s[1-5]\\..*"),
                      {rule("s\\d\\.pathway[1-9].*", ""),
                       rule(".*_bn\\.split_bn\\..*", ""),
                       rule("s1\\.pathway0_stem\\.conv\\.weight", "conv1.weight"),
                       rule(text("s1\\.pathway0_stem\\.bn\\.(?:bn\\.)?{}", kNorm), "bn1.$1")},
                      "rgb",
                      "SlowFast normalises by mean 0.45 and deviation 0.225; here ImageNet's are "
                      "used"};
  for (int stage = 1; stage <= 4; ++stage) {
    const auto block = text("s{}\\.pathway0_res(\\d+)\\.", stage + 1);
    const auto ours = text("layer{}.$1.", stage);
    for (int i = 0; i < 3; ++i) {
      const auto link = text("{}branch2\\.{}", block, std::string(1, static_cast<char>('a' + i)));
      scheme.rules.push_back(rule(link + "\\.weight", text("{}conv{}.weight", ours, i + 1)));
      scheme.rules.push_back(rule(link + norm, text("{}bn{}.$2", ours, i + 1)));
    }
    scheme.rules.push_back(rule(block + "branch1\\.weight", ours + "downsample.0.weight"));
    scheme.rules.push_back(rule(block + "branch1" + norm, ours + "downsample.1.$2"));
  }
  return scheme;
}

}  // namespace

std::optional<std::string> NamingScheme::ours(const std::string& name) const {
  for (const auto& [pattern, ours] : rules) {
    std::smatch match;
    if (std::regex_match(name, match, pattern)) return match.format(ours);
  }
  return std::nullopt;
}

const std::vector<NamingScheme>& naming_schemes() {
  static const std::vector<NamingScheme> schemes = {
      with_usual_blocks("torchvision", "conv1", "bn1", {"layer1", "layer2", "layer3", "layer4"}),
      with_padding_layers(),
      mmcv(),
      hugging_face(),
      detectron2(),
      slowfast(),
      with_usual_blocks("Sequential", "0", "1", {"4", "5", "6", "7"}),
      with_usual_blocks("Sequential without a pool", "0", "1", {"3", "4", "5", "6"}),
      with_usual_blocks("Sequential of stages", "0.0", "0.1", {"1", "2", "3", "4"}),
      with_usual_blocks(
          "layer0 as the stem", "layer0.0", "layer0.1", {"layer1", "layer2", "layer3", "layer4"}),
  };
  return schemes;
}

}  // namespace stc::models
