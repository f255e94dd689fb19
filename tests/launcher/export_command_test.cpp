#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "data/safetensors.h"
#include "launcher/checkpoint.h"
#include "launcher/commands.h"
#include "models/resnet.h"
#include "monitoring/check.h"
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
    launcher::Run command;
    add_export(app, command);
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

}  // namespace
}  // namespace stc::launcher
