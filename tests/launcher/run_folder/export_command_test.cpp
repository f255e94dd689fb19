#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "data/weights/safetensors.h"
#include "launcher/commands.h"
#include "launcher/run_folder/checkpoint.h"
#include "launcher/run_folder/weights.h"
#include "models/resnet.h"
#include "monitoring/check.h"
#include "tests/support/golden_folder.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

class ExportCommand : public testing::Test {
 protected:
  // As main() does: the arguments behind "stc".
  int run(const std::vector<std::string>& arguments) {
    CLI::App app;
    launcher::Action command;
    add_export(app, command);
    add_import(app, command);
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
    CaptureStderr();
    try {
      const int code = command();
      said_ = GetCapturedStderr();
      return code;
    } catch (const Error& error) {
      GetCapturedStderr();
      said_ = error.what();
      return static_cast<int>(error.exit());
    }
  }

  /// The weights under a name of a larger model.
  void add_under(const std::string& prefix, data::NamedTensors* model, double factor = 1) const {
    for (const auto& [name, tensor] : weights_) model->emplace(prefix + name, tensor * factor);
  }
  at::Tensor written() const {
    return data::read_safetensors(out_).tensors.at("layer1.0.conv1.weight");
  }

  test::TemporaryFolder folder_;
  std::string out_ = folder_ / "out.safetensors";
  std::string said_;
  data::NamedTensors weights_ = models::ResNet(models::standard_options(18), /*seed=*/7).state();
};

TEST_F(ExportCommand, WritesTheBackboneOfACheckpointBitForBit) {
  CheckpointStore store(folder_ / "run/checkpoints", 2);
  store.save({5, weights_, {}, {}, "{}"});
  for (const std::string& source : {folder_ / "run", folder_ / "run/checkpoints/step-00000005"}) {
    EXPECT_EQ(run({"export", source, out_, "--force"}), 0) << said_;
    const auto written = data::read_safetensors(out_);
    ASSERT_EQ(written.tensors.size(), weights_.size());
    for (const auto& [name, tensor] : weights_) {
      EXPECT_TRUE(at::equal(written.tensors.at(name), tensor)) << name;
    }
  }
  EXPECT_THAT(said_, HasSubstr("ResNet-18"));
}

TEST_F(ExportCommand, LeavesOutAClassifier) {
  weights_["fc.weight"] = at::zeros({1000, 512});
  weights_["fc.bias"] = at::zeros({1000});
  data::write_safetensors(folder_ / "in.safetensors", weights_);
  EXPECT_EQ(run({"export", folder_ / "in.safetensors", out_}), 0) << said_;
  EXPECT_FALSE(data::read_safetensors(out_).tensors.contains("fc.weight"));
}

TEST_F(ExportCommand, ReplacesAFileOnlyWithForce) {
  std::ofstream(out_) << "mine";
  data::write_safetensors(folder_ / "in.safetensors", weights_);
  EXPECT_EQ(run({"export", folder_ / "in.safetensors", out_}), 2);
  EXPECT_THAT(said_, AllOf(HasSubstr(out_ + " exists"), HasSubstr("--force")));
  EXPECT_EQ(std::filesystem::file_size(out_), 4U);
  EXPECT_EQ(run({"export", folder_ / "in.safetensors", out_, "--force"}), 0);
  EXPECT_GT(std::filesystem::file_size(out_), 1000U);
}

TEST_F(ExportCommand, WeightsThatAreNoResNetAreBadDataAndNothingIsWritten) {
  data::write_safetensors(folder_ / "in.safetensors", {{"embedding", at::zeros({3})}});
  EXPECT_EQ(run({"export", folder_ / "in.safetensors", out_}), 3);
  EXPECT_THAT(said_, HasSubstr(folder_ / "in.safetensors"));
  weights_.erase("layer3.1.conv2.weight");
  data::write_safetensors(folder_ / "in.safetensors", weights_);
  EXPECT_EQ(run({"export", folder_ / "in.safetensors", out_}), 3);
  EXPECT_THAT(said_, HasSubstr("layer3.1.conv2.weight"));
  EXPECT_FALSE(std::filesystem::exists(out_));
}

TEST_F(ExportCommand, MissingSourceIsBadDataNamingIt) {
  EXPECT_EQ(run({"export", folder_ / "none", out_}), 3);
  EXPECT_THAT(said_, HasSubstr(folder_ / "none"));
}

TEST_F(ExportCommand, ImportFindsTheNetworkWithinALargerModel) {
  data::NamedTensors model = {{"state_dict.head.weight", at::zeros({2})}};
  add_under("state_dict.backbone.", &model);
  data::write_safetensors(folder_ / "in.safetensors", model);
  EXPECT_EQ(run({"import", folder_ / "in.safetensors", out_}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("under 'state_dict.backbone.'"));
  EXPECT_TRUE(at::equal(written(), weights_.at("layer1.0.conv1.weight")));
}

TEST_F(ExportCommand, ImportTakesTheQueryEncoderOfSeveralNetworksOrTheOneThatIsNamed) {
  data::NamedTensors model;
  add_under("module.encoder_q.", &model);
  add_under("module.encoder_k.", &model, 2);
  data::write_safetensors(folder_ / "in.safetensors", model);
  EXPECT_EQ(run({"import", folder_ / "in.safetensors", out_}), 0) << said_;
  EXPECT_TRUE(at::equal(written(), weights_.at("layer1.0.conv1.weight")));
  EXPECT_EQ(
      run({"import", folder_ / "in.safetensors", out_, "--force", "--prefix", "module.encoder_k."}),
      0)
      << said_;
  EXPECT_TRUE(at::equal(written(), weights_.at("layer1.0.conv1.weight") * 2));
  EXPECT_EQ(run({"import", folder_ / "in.safetensors", out_, "--force", "--prefix", "encoder_k"}),
            2);
  EXPECT_THAT(said_, HasSubstr("holds 'module.encoder_k.', 'module.encoder_q.'"));
}

TEST_F(ExportCommand, ImportAsksWhichOfSeveralNetworksIsMeant) {
  data::NamedTensors model;
  add_under("student.", &model);
  add_under("teacher.", &model);
  data::write_safetensors(folder_ / "in.safetensors", model);
  EXPECT_EQ(run({"import", folder_ / "in.safetensors", out_}), 2);
  EXPECT_THAT(said_, HasSubstr("choose one with --prefix: 'student.', 'teacher.'"));
}

// Wherever weights are accepted; this one holds no network, and is read far enough to say so.
TEST_F(ExportCommand, AFileByTorchSaveIsReadAsItIs) {
  const auto file = test::golden_folder() + "/torch_zip.pth";
  EXPECT_EQ(run({"export", file, out_}), 3);
  EXPECT_THAT(said_,
              HasSubstr("torch_zip.pth: none of its 8 tensors is the layer1.0.conv1.weight"));
}

TEST_F(ExportCommand, WhatIsFoundInPlaceOfAFileByTorchSaveIsCalledByItsName) {
  const std::pair<std::string, std::string> cases[] = {
      {"version https://git-lfs.github.com/spec/v1\n", "Git LFS"},
      {"<!DOCTYPE html>", "web page"},
      {"\x1f\x8b\x08", "compressed"},
      {"\x80\x04}", "plain pickle"}};
  for (const auto& [content, said] : cases) {
    std::ofstream(folder_ / "in.pth") << content;
    EXPECT_EQ(run({"import", folder_ / "in.pth", out_}), 3);
    EXPECT_THAT(said_, AllOf(HasSubstr("in.pth: was not written by torch.save"), HasSubstr(said)));
  }
}

TEST_F(ExportCommand, TheColoursOfTheTrainingAreKeptGuessedOrGiven) {
  const auto in = folder_ / "in.safetensors";
  const auto recorded = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"import", in, out_, "--force"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    EXPECT_EQ(run(arguments), 0) << said_;
    EXPECT_EQ(read_weights(out_).input, data::read_safetensors(out_).metadata["input"]);
    return data::read_safetensors(out_).metadata["input"];
  };
  data::write_safetensors(in, weights_);
  EXPECT_EQ(recorded({}), "");
  EXPECT_THAT(said_, HasSubstr("--input rgb or lab records it"));
  EXPECT_EQ(recorded({"--input", "lab"}), "lab");
  data::write_safetensors(in, weights_, weights_metadata("lab"));
  EXPECT_EQ(recorded({}), "lab");
  EXPECT_EQ(recorded({"--input", "rgb"}), "rgb");
  EXPECT_THAT(said_, HasSubstr("is for lab input by its own account"));
  data::NamedTensors model;
  add_under("module.encoder_q.", &model);
  data::write_safetensors(in, model);
  EXPECT_EQ(recorded({}), "rgb");
}

TEST_F(ExportCommand, TheInputIsNeverReplacedByTheOutput) {
  data::write_safetensors(out_, weights_);
  const auto size = std::filesystem::file_size(out_);
  EXPECT_EQ(run({"import", out_, folder_ / "./out.safetensors", "--force"}), 2);
  EXPECT_THAT(said_, HasSubstr("both the input and the output"));
  EXPECT_EQ(std::filesystem::file_size(out_), size);
}

// Told apart by content: a misleading name does no harm.
TEST_F(ExportCommand, SafetensorsUnderANameOfTorchAreRead) {
  data::write_safetensors(folder_ / "in.pth", weights_);
  EXPECT_EQ(run({"import", folder_ / "in.pth", out_}), 0) << said_;
}

TEST_F(ExportCommand, CheckpointsSayTheirColours) {
  CheckpointStore store(folder_ / "run/checkpoints", 2);
  store.save({5, weights_, {}, {}, "{}", "rgb"});
  EXPECT_EQ(read_weights(folder_ / "run").input, "rgb");
  EXPECT_EQ(run({"export", folder_ / "run", out_}), 0) << said_;
  EXPECT_EQ(read_weights(out_).input, "rgb");
}

// They did not record it; the config of the run tells the step.
TEST_F(ExportCommand, RunsOfEarlierVersionsTellTheirColoursByTheirConfig) {
  CheckpointStore store(folder_ / "run/checkpoints", 2);
  store.save({5, weights_, {}, {}, "{}"});
  EXPECT_EQ(read_weights(folder_ / "run").input, "");
  std::ofstream(folder_ / "run/config.toml") << "[run]\n[images]\nsize = 64\n";
  EXPECT_EQ(read_weights(folder_ / "run").input, "rgb");
  data::write_safetensors(folder_ / "run/weights.safetensors", weights_);
  EXPECT_EQ(read_weights(folder_ / "run/weights.safetensors").input, "rgb");
  std::ofstream(folder_ / "run/config.toml") << "[run]\n[clips]\nsize = 64\n";
  EXPECT_EQ(read_weights(folder_ / "run").input, "lab");
}

TEST_F(ExportCommand, ImportRefusesWhatHoldsNoNetwork) {
  data::write_safetensors(folder_ / "in.safetensors", {{"embedding", at::zeros({3})}});
  EXPECT_EQ(run({"import", folder_ / "in.safetensors", out_}), 3);
  EXPECT_THAT(said_, HasSubstr("none of its 1 tensors is the layer1.0.conv1.weight of a ResNet"));
  std::ofstream(folder_ / "in.pth") << "no weights";
  EXPECT_EQ(run({"import", folder_ / "in.pth", out_}), 3);
  EXPECT_THAT(said_, HasSubstr("in.pth: was not written by torch.save"));
  EXPECT_FALSE(std::filesystem::exists(out_));
}

}  // namespace
}  // namespace stc::launcher
