// Each scheme is written here from torchvision's names by a few replacements of its own, and must
// be read back tensor by tensor.
#include "models/published_trunk.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <regex>

#include "models/naming_schemes.h"
#include "models/resnet.h"
#include "monitoring/check.h"

namespace stc::models {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Replacement {
  const char *pattern, *by;
};

struct Published {
  const char* scheme;
  const char* prefix;
  std::vector<Replacement> names;  ///< applied one after the other
  const char* input;
};

NamedTensors trunk_of(int depth) { return ResNet(standard_options(depth), /*seed=*/depth).state(); }

std::string renamed(std::string name, const std::vector<Replacement>& replacements) {
  for (const auto& [pattern, by] : replacements)
    name = std::regex_replace(name, std::regex(pattern), by);
  return name;
}

NamedTensors written(const Published& as, const NamedTensors& trunk) {
  NamedTensors file;
  for (const auto& [name, tensor] : trunk) file[as.prefix + renamed(name, as.names)] = tensor;
  return file;
}

void expect_equal(const NamedTensors& found, const NamedTensors& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_TRUE(at::equal(found.at(name), tensor)) << name;
  }
}

std::string error_of(const NamedTensors& file, Exit exit, const std::string& prefix = "") {
  try {
    find_trunk(file, "w.pth", prefix);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), exit) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("w.pth"));
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

const std::vector<Published>& published() {
  static const std::vector<Published> all = {
      {"torchvision", "", {}, ""},
      {"torchvision", "module.", {}, ""},
      {"torchvision", "_orig_mod.module.", {}, ""},
      {"torchvision", "classy_state_dict.base_model.model.trunk._feature_blocks.", {}, "rgb"},
      {"torchvision", "state_dict.backbone.", {}, ""},
      {"torchvision", "model_state.model.", {}, ""},
      {"CRW", "model.encoder.", {{"conv([123])\\.weight", "conv$1.1.weight"}}, "rgb"},
      // Only what pads has a layer for it.
      {"CRW",
       "encoder.",
       {{"(^|layer\\d\\.\\d+\\.)conv([12])\\.weight", "$1conv$2.1.weight"}},
       "rgb"},
      {"mmcv",
       "state_dict.backbone.",
       {{"conv(\\d)\\.weight", "conv$1.conv.weight"},
        {"bn(\\d)\\.", "conv$1.bn."},
        {"downsample\\.0", "downsample.conv"},
        {"downsample\\.1", "downsample.bn"}},
       ""},
      {"Hugging Face",
       "resnet.",
       {{"^conv1", "embedder.embedder.convolution"},
        {"^bn1", "embedder.embedder.normalization"},
        {"^layer1\\.(\\d+)", "encoder.stages.0.layers.$1"},
        {"^layer2\\.(\\d+)", "encoder.stages.1.layers.$1"},
        {"^layer3\\.(\\d+)", "encoder.stages.2.layers.$1"},
        {"^layer4\\.(\\d+)", "encoder.stages.3.layers.$1"},
        {"conv1\\.", "layer.0.convolution."},
        {"conv2\\.", "layer.1.convolution."},
        {"conv3\\.", "layer.2.convolution."},
        {"bn1\\.", "layer.0.normalization."},
        {"bn2\\.", "layer.1.normalization."},
        {"bn3\\.", "layer.2.normalization."},
        {"downsample\\.0", "shortcut.convolution"},
        {"downsample\\.1", "shortcut.normalization"}},
       "rgb"},
      {"detectron2",
       "model.backbone.bottom_up.",
       {{"^conv1", "stem.conv1"},
        {"^bn1", "stem.conv1.norm"},
        {"bn(\\d)", "conv$1.norm"},
        {"downsample\\.0", "shortcut"},
        {"downsample\\.1", "shortcut.norm"},
        {"^layer4", "res5"},
        {"^layer3", "res4"},
        {"^layer2", "res3"},
        {"^layer1", "res2"}},
       "rgb"},
      {"SlowFast",
       "model_state.",
       {{"^conv1", "s1.pathway0_stem.conv"},
        {"^bn1", "s1.pathway0_stem.bn"},
        {"^layer4\\.(\\d+)", "s5.pathway0_res$1"},
        {"^layer3\\.(\\d+)", "s4.pathway0_res$1"},
        {"^layer2\\.(\\d+)", "s3.pathway0_res$1"},
        {"^layer1\\.(\\d+)", "s2.pathway0_res$1"},
        {"\\.conv1\\.", ".branch2.a."},
        {"\\.conv2\\.", ".branch2.b."},
        {"\\.conv3\\.", ".branch2.c."},
        {"\\.bn1\\.", ".branch2.a_bn."},
        {"\\.bn2\\.", ".branch2.b_bn."},
        {"\\.bn3\\.", ".branch2.c_bn."},
        {"downsample\\.0", "branch1"},
        {"downsample\\.1", "branch1_bn"}},
       "rgb"},
      {"Sequential",
       "features.",
       {{"^conv1", "0"},
        {"^bn1", "1"},
        {"^layer1", "4"},
        {"^layer2", "5"},
        {"^layer3", "6"},
        {"^layer4", "7"}},
       ""},
      {"Sequential without a pool",
       "",
       {{"^conv1", "0"},
        {"^bn1", "1"},
        {"^layer1", "3"},
        {"^layer4", "6"},
        {"^layer3", "5"},
        {"^layer2", "4"}},
       ""},
      {"Sequential of stages", "f.", {{"^conv1", "0.0"}, {"^bn1", "0.1"}, {"^layer", ""}}, ""},
      {"layer0 as the stem", "", {{"^conv1", "layer0.0"}, {"^bn1", "layer0.1"}}, ""},
  };
  return all;
}

TEST(PublishedTrunk, EverySchemeIsReadBackTensorByTensor) {
  for (const int depth : {18, 50}) {
    const auto trunk = trunk_of(depth);
    for (const auto& as : published()) {
      SCOPED_TRACE(text("ResNet-{} as {} under '{}'", depth, as.scheme, as.prefix));
      const auto found = find_trunk(written(as, trunk), "w.pth");
      EXPECT_EQ(found.scheme, as.scheme);
      EXPECT_EQ(found.depth, depth);
      EXPECT_EQ(found.input, as.input);
      expect_equal(found.tensors, trunk);
    }
  }
}

// A row of the table without a file here would be untested.
TEST(PublishedTrunk, EveryRowOfTheTableHasAFileInThisTest) {
  for (const auto& scheme : naming_schemes())
    EXPECT_TRUE(std::ranges::any_of(published(), [&](const auto& as) {
      return as.scheme == scheme.name;
    })) << scheme.name;
}

TEST(PublishedTrunk, APlainFileHasNothingToRemark) {
  EXPECT_THAT(find_trunk(trunk_of(18), "w.pth").remarks, IsEmpty());
}

TEST(PublishedTrunk, HeadsAreLeftOutByNameAndCount) {
  for (const std::string head :
       {"fc", "last_linear", "linear", "head", "classifier", "projection_head", "prototypes"}) {
    auto file = trunk_of(50);
    file[head + ".weight"] = at::zeros({1000, 2048});
    file[head + ".bias"] = at::zeros({1000});
    const auto found = find_trunk(file, "w.pth");
    expect_equal(found.tensors, trunk_of(50));
    EXPECT_THAT(found.remarks, ElementsAre(HasSubstr("2 of '" + head + "'")));
  }
}

TEST(PublishedTrunk, AClassifierOf1000ClassesIsImageNets) {
  auto file = trunk_of(18);
  file["fc.weight"] = at::zeros({1000, 512});
  EXPECT_EQ(find_trunk(file, "w.pth").input, "rgb");
  file["fc.weight"] = at::zeros({128, 512});
  EXPECT_EQ(find_trunk(file, "w.pth").input, "");
}

TEST(PublishedTrunk, FrozenBatchNormsNeedNoCounts) {
  auto file = trunk_of(18);
  std::erase_if(file, [](const auto& each) { return each.first.ends_with("num_batches_tracked"); });
  EXPECT_EQ(find_trunk(file, "w.pth").tensors.size(), file.size());
}

NamedTensors beside(const std::string& one, const std::string& other, const char* scheme) {
  const auto find = [&] {
    return *std::ranges::find_if(published(),
                                 [&](const auto& as) { return std::string(as.scheme) == scheme; });
  };
  auto first = find(), second = find();
  first.prefix = one.c_str();
  second.prefix = other.c_str();
  auto file = written(first, trunk_of(18));
  for (const auto& [name, tensor] : written(second, trunk_of(18))) file[name] = tensor * 2;
  return file;
}

TEST(PublishedTrunk, TheTrainedNetworkIsTakenAndTheOtherNamed) {
  const struct {
    std::string trained, other;
    const char* scheme;
    std::string input;
  } cases[] = {
      {"module.encoder_q.", "module.encoder_k.", "torchvision", "rgb"},
      {"module.base_encoder.", "module.momentum_encoder.", "torchvision", "rgb"},
      {"state_dict.backbone.", "state_dict.momentum_backbone.", "torchvision", ""},
      {"online_network.", "target_network.", "torchvision", ""},
      {"state_dict.backbone.", "state_dict.backbone_t.", "mmcv", "lab"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.trained);
    const auto file = beside(each.trained, each.other, each.scheme);
    const auto found = find_trunk(file, "w.pth");
    EXPECT_EQ(found.prefix, each.trained);
    EXPECT_EQ(found.input, each.input);
    expect_equal(found.tensors, trunk_of(18));
    EXPECT_THAT(joined(found.remarks),
                AllOf(HasSubstr("'" + each.other + "'"), HasSubstr("120 of")));
    const auto chosen = find_trunk(file, "w.pth", each.other);
    EXPECT_TRUE(at::equal(chosen.tensors.at("conv1.weight"), trunk_of(18).at("conv1.weight") * 2));
  }
}

TEST(PublishedTrunk, TheAuthorsTeacherSeesRgbAndSoDoesVfs) {
  EXPECT_EQ(find_trunk(beside("backbone.", "backbone_t.", "mmcv"), "w.pth", "backbone_t.").input,
            "rgb");
  auto vfs = beside("backbone.", "backbone.", "mmcv");
  vfs["img_head.projection_net.fcs.0.fc.weight"] = at::zeros({2, 512});
  EXPECT_EQ(find_trunk(vfs, "w.pth").input, "rgb");
}

TEST(PublishedTrunk, SeveralNetworksAreAQuestion) {
  const auto file = beside("student.module.backbone.", "teacher.backbone.", "torchvision");
  EXPECT_THAT(
      error_of(file, Exit::kUsage),
      AllOf(HasSubstr("'student.module.backbone.', 'teacher.backbone.'"), HasSubstr("--prefix")));
  EXPECT_THAT(error_of(file, Exit::kUsage, "teacher."), HasSubstr("--prefix is 'teacher.'"));
  EXPECT_EQ(find_trunk(file, "w.pth", "teacher.backbone.").prefix, "teacher.backbone.");
}

TEST(PublishedTrunk, ANetworkWithoutAPrefixCanBeChosenToo) {
  const auto file = beside("", "ema.", "torchvision");
  EXPECT_THAT(error_of(file, Exit::kUsage), HasSubstr("'.', 'ema.'"));
  EXPECT_EQ(find_trunk(file, "w.pth", ".").prefix, "");
  EXPECT_EQ(find_trunk(file, "w.pth", "ema").prefix, "ema.");  // the dot may be left out
}

TEST(PublishedTrunk, KernelsOverOneFrameArePictures) {
  auto as = published()[11];
  ASSERT_STREQ(as.scheme, "SlowFast");
  auto file = written(as, trunk_of(50));
  for (auto& [name, tensor] : file)
    if (tensor.dim() == 4) tensor = tensor.unsqueeze(2);
  file["model_state.s2.pathway1_res0.branch2.a.weight"] = at::zeros({8, 8, 3, 1, 1});
  expect_equal(find_trunk(file, "w.pth").tensors, trunk_of(50));

  const std::string deep = "model_state.s4.pathway0_res0.branch2.a.weight";
  file[deep] = file[deep].expand({-1, -1, 3, -1, -1});
  EXPECT_THAT(
      error_of(file, Exit::kBadData),
      AllOf(HasSubstr(deep), HasSubstr("[256, 512, 3, 1, 1]"), HasSubstr("covers 3 frames")));
}

TEST(PublishedTrunk, ANearMissNamesTheTensorAndWhatItMayBe) {
  const struct {
    int depth;
    std::function<void(NamedTensors&)> change;
    std::vector<std::string> said;
  } cases[] = {
      {18,
       [](NamedTensors& f) {
         f["conv1.weight"] = at::zeros({64, 3, 3, 3});
       },
       {"'conv1.weight' is [64, 3, 3, 3], expected [64, 3, 7, 7]", "small images"}},
      {18,
       [](NamedTensors& f) {
         f["conv1.weight"] = at::zeros({64, 1, 7, 7});
       },
       {"'conv1.weight' is [64, 1, 7, 7]", "1 channels"}},
      {18,
       [](NamedTensors& f) { f.erase("layer2.0.bn1.bias"); },
       {"no 'layer2.0.bn1.bias'", "[128]"}},
      {18, [](NamedTensors& f) { f.erase("conv1.weight"); }, {"no 'conv1.weight'"}},
      {18,
       [](NamedTensors& f) {
         f["layer1.0.se.fc1.weight"] = at::zeros({4, 64});
       },
       {"'layer1.0.se.fc1.weight'", "squeeze-and-excitation"}},
      {50,
       [](NamedTensors& f) {
         f.erase("conv1.weight");
         f["conv1.0.weight"] = at::zeros({32, 3, 3, 3});
       },
       {"'conv1.0.weight'", "deep stem"}},
      {50,
       [](NamedTensors& f) {
         f["layer1.0.conv2.weight"] = at::zeros({128, 4, 3, 3});
       },
       {"'layer1.0.conv2.weight' is [128, 4, 3, 3]", "ResNeXt"}},
      {50,
       [](NamedTensors& f) {
         f["layer1.0.conv2.weight"] = at::zeros({128, 128, 3, 3});
       },
       {"'layer1.0.conv2.weight'", "wide ResNet"}},
      {18,
       [](NamedTensors& f) { f["conv1.weight"] = f["conv1.weight"].to(at::kChar); },
       {"'conv1.weight' is of the type Char", "quantised"}},
      {18,
       [](NamedTensors& f) { f["conv1.scale"] = at::ones({}); },
       {"'conv1.scale'", "quantised"}},
      {18,
       [](NamedTensors& f) {
         std::erase_if(
             f, [](const auto& each) { return each.first.find("running_") != std::string::npos; });
       },
       {"no 'bn1.running_mean'", "no running statistics"}},
  };
  for (const auto& [depth, change, said] : cases) {
    auto file = trunk_of(depth);
    change(file);
    const auto error = error_of(file, Exit::kBadData);
    for (const auto& part : said) EXPECT_THAT(error, HasSubstr(part));
  }
}

TEST(PublishedTrunk, ANearMissNamesTheTensorAsTheFileDoes) {
  NamedTensors file;
  for (const auto& [name, tensor] : trunk_of(18)) file["module." + name] = tensor;
  file["module.layer4.1.bn2.bias"] = at::zeros({3});
  EXPECT_THAT(error_of(file, Exit::kBadData), HasSubstr("'module.layer4.1.bn2.bias' is [3]"));
}

TEST(PublishedTrunk, OtherDepthsSayTheirBlocks) {
  auto file = trunk_of(18);
  file["layer1.2.conv1.weight"] = at::zeros({64, 64, 3, 3});
  EXPECT_THAT(error_of(file, Exit::kBadData), HasSubstr("3, 2, 2, 2 basic blocks"));
}

TEST(PublishedTrunk, WithoutLayer4ItServesEvaluationOnly) {
  auto file = trunk_of(18);
  std::erase_if(file, [](const auto& each) { return each.first.starts_with("layer4."); });
  const auto found = find_trunk(file, "w.pth");
  EXPECT_FALSE(found.has_layer4);
  EXPECT_THAT(found.remarks, ElementsAre(HasSubstr("no layer4")));
  ResNet network(propagation_options(18, 8), 0);
  network.load(found.tensors, "w.pth", /*last_stage=*/3);
  EXPECT_TRUE(at::equal(network.state().at("layer3.1.conv2.weight"),
                        trunk_of(18).at("layer3.1.conv2.weight")));
  EXPECT_THROW(network.load(found.tensors, "w.pth"), Error);
}

TEST(PublishedTrunk, OtherNetworksAreCalledByTheirKind) {
  const auto one = [](const std::string& name) { return NamedTensors{{name, at::zeros({2, 2})}}; };
  EXPECT_THAT(error_of(one("blocks.0.attn.qkv.weight"), Exit::kBadData),
              AllOf(HasSubstr("vision transformer"), HasSubstr("'blocks.0.attn.qkv.weight'")));
  EXPECT_THAT(error_of({{"blocks.0.conv.weight", at::zeros({2, 2, 3, 1, 1})}}, Exit::kBadData),
              HasSubstr("3D network"));
  EXPECT_THAT(error_of(one("features.0.weight"), Exit::kBadData), HasSubstr("'features.0.weight'"));
  EXPECT_THAT(error_of({}, Exit::kBadData), HasSubstr("state_dict()"));
}

}  // namespace
}  // namespace stc::models
