#include "launcher/training/training_arithmetic.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

VideoTrainOptions on(const std::string& device) {
  VideoTrainOptions options;
  options.run_dir = "runs/r";
  options.device = device;
  return options;
}

// What a run folder's config.toml says of its earlier part.
std::string recorded(const std::string& device,
                     const std::string& precision,
                     const std::string& more = "deterministic = false\n") {
  return text("[run]\ndevice = \"{}\"\nprecision = \"{}\"\nmemory_format = \"contiguous\"\n{}",
              device,
              precision,
              more);
}
constexpr char kEarlierVersion[] = "";  // instead of run.deterministic

std::string usage_error(const TrainOptions& options, const std::string& earlier) {
  try {
    decide_arithmetic(options, earlier);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(TrainingArithmetic, AutoIsDecidedByTheDevice) {
  const auto cpu = decide_arithmetic(on("cpu"), ""), gpu = decide_arithmetic(on("cuda"), "");
  EXPECT_EQ(describe(cpu, false), "precision float32 (auto), contiguous (auto)");
  EXPECT_EQ(describe(gpu, true), "precision bf16 (auto), channels_last (auto), deterministic");
  auto given = on("cuda");
  given.precision = "float32";
  given.memory_format = "contiguous";
  EXPECT_EQ(describe(decide_arithmetic(given, ""), false), "precision float32, contiguous");
}

TEST(TrainingArithmetic, AResumedRunKeepsWhatItHad) {
  const auto kept = decide_arithmetic(on("cuda"), recorded("cpu", "float32"));
  EXPECT_EQ(describe(kept, false), "precision float32 (as before), contiguous (as before)");
  EXPECT_EQ(decide_arithmetic(on("cuda"), recorded("cuda", "float32")).precision.value, "float32");
  EXPECT_EQ(decide_arithmetic(on("cpu"), recorded("cuda", "bf16")).precision.value, "bf16");
  EXPECT_THAT(kept.notes, IsEmpty());
  EXPECT_TRUE(kept.read_as.empty());
  auto given = on("cpu");
  given.precision = "bf16";  // refused later, by the rule for all keys
  EXPECT_EQ(decide_arithmetic(given, recorded("cpu", "float32")).precision.value, "bf16");
}

TEST(TrainingArithmetic, Float32OfAnEarlierVersionOnAGpuResumesAsTf32AndSaysSo) {
  const auto earlier = recorded("cuda", "float32", kEarlierVersion);
  const auto resumed = decide_arithmetic(on("cuda"), earlier);
  EXPECT_EQ(resumed.precision.value, "tf32");
  EXPECT_EQ(resumed.memory_format.value, "contiguous");
  ASSERT_EQ(resumed.notes.size(), 1U);
  EXPECT_THAT(resumed.notes[0], HasSubstr("it resumes as that"));
  // The folder accepts it, although its config says something else.
  auto options = on("cuda");
  ConfigSchema schema;
  options.bind(schema);
  options.precision = resumed.precision.value;
  const auto without_precision = [](auto differences) {
    std::erase_if(differences, [](const auto& d) { return !d.starts_with("run.precision"); });
    return differences;
  };
  EXPECT_THAT(without_precision(schema.training_differences(earlier, resumed.read_as)), IsEmpty());
  EXPECT_EQ(without_precision(schema.training_differences(earlier)).size(), 1U);
  // From then on its config says tf32, nothing is left to say, and whoever asks for float32 by name
  // goes on as well.
  const auto later = resumed.remark + recorded("cuda", "tf32");
  for (const auto* asked : {"auto", "float32", "tf32"}) {
    options.precision = asked;
    EXPECT_EQ(decide_arithmetic(options, earlier).precision.value, "tf32");
    const auto again = decide_arithmetic(options, later);
    EXPECT_EQ(again.precision.value, "tf32");
    EXPECT_EQ(again.remark, resumed.remark);
    EXPECT_THAT(again.notes, IsEmpty());
    EXPECT_TRUE(again.read_as.empty());
  }
  // A run of this version is what its words say.
  options.precision = "float32";
  EXPECT_EQ(decide_arithmetic(options, recorded("cuda", "tf32")).precision.value, "float32");
  options.precision = "bf16";
  EXPECT_EQ(decide_arithmetic(options, earlier).precision.value, "bf16");
}

TEST(TrainingArithmetic, EarlierRunsWithoutTf32AreUnchanged) {
  for (const auto& earlier :
       {recorded("cpu", "float32", kEarlierVersion), recorded("cuda", "bf16", kEarlierVersion)}) {
    for (const auto* device : {"cpu", "cuda"}) {
      const auto resumed = decide_arithmetic(on(device), earlier);
      EXPECT_EQ(resumed.precision.value, *word_in(earlier, "run.precision"));
      EXPECT_TRUE(resumed.read_as.empty());
      EXPECT_THAT(resumed.notes, IsEmpty());
    }
  }
  // On a CPU there was, and is, no TF32.
  const auto moved = decide_arithmetic(on("cpu"), recorded("cuda", "float32", kEarlierVersion));
  EXPECT_EQ(moved.precision.value, "float32");
}

TEST(TrainingArithmetic, Tf32NeedsAGpu) {
  auto options = on("cpu");
  EXPECT_THAT(usage_error(options, recorded("cuda", "tf32")),
              HasSubstr("run.precision is tf32 in the run that is resumed, which only a GPU"));
  options.precision = "tf32";
  EXPECT_THAT(usage_error(options, ""), HasSubstr("run.precision is tf32, which only a GPU"));
}

TEST(TrainingArithmetic, SaysWhenDeterminismDoesNotCoverTheWholeRun) {
  auto options = on("cuda");
  const auto with = recorded("cuda", "bf16", "deterministic = true\n");
  EXPECT_THAT(decide_arithmetic(options, with).notes.at(0), HasSubstr("cannot be repeated"));
  options.deterministic = true;
  EXPECT_THAT(decide_arithmetic(options, with).notes, IsEmpty());
  EXPECT_THAT(decide_arithmetic(options, recorded("cuda", "bf16")).notes.at(0),
              HasSubstr("from here on"));
  EXPECT_THAT(decide_arithmetic(options, "").notes, IsEmpty());
}

TEST(TrainingArithmetic, FlagsFollowPrecisionAndDevice) {
  const auto flags = [](const char* device, const char* precision, bool deterministic) {
    auto options = on(device);
    options.precision = precision;
    options.deterministic = deterministic;
    return flags_of(options);
  };
  EXPECT_FALSE(flags("cuda", "float32", false).tf32);
  EXPECT_FALSE(flags("cuda", "auto", false).tf32);
  for (const auto* precision : {"tf32", "bf16", "fp16"}) {
    EXPECT_TRUE(flags("cuda", precision, false).tf32);
    EXPECT_FALSE(flags("cpu", precision, false).tf32);
  }
  EXPECT_TRUE(flags("cuda", "bf16", false).autotune);
  EXPECT_FALSE(flags("cuda", "bf16", true).autotune);
  EXPECT_FALSE(flags("cpu", "float32", false).autotune);
  EXPECT_TRUE(flags("cpu", "float32", true).deterministic);
}

TEST(TrainingArithmetic, AnOperatorThatRefusesIsNamedAndOtherErrorsPass) {
  const models::ScopedArithmeticFlags scope({.deterministic = true});
  try {
    with_unrepeatable_named([]() -> int {
      at::globalContext().alertNotDeterministic("scatter_add_cuda");
      return 0;
    });
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kFailed);
    EXPECT_THAT(error.what(), HasSubstr("but scatter_add_cuda has no deterministic form"));
    EXPECT_THAT(error.what(), HasSubstr("--run.deterministic=false"));
  }
  EXPECT_THROW(with_unrepeatable_named([]() -> int { throw std::out_of_range("x"); }),
               std::out_of_range);
  EXPECT_EQ(with_unrepeatable_named([] { return 7; }), 7);
}

}  // namespace
}  // namespace stc::launcher
