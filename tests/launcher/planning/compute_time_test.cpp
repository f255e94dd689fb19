#include "launcher/planning/compute_time.h"

#include <gmock/gmock.h>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

PlannedStep step1(const char* precision) { return {"pretrain", 50, 224, 256, precision}; }
PlannedStep step2(const char* precision) { return {"train", 18, 256, 16, precision}; }

TEST(ComputeTime, OfAnH200IsWhatWasMeasuredAndSaysWithWhichVersion) {
  const auto half = compute_time("h200", step1("bf16"));
  EXPECT_DOUBLE_EQ(half.seconds, 0.0999);
  EXPECT_EQ(half.source,
            "assumed from stc at revision 2019fe2 (November 2026) on one H200, step 1, ResNet-50, "
            "256 images of 224, bf16, channels_last: 99.9 ms");
  EXPECT_DOUBLE_EQ(compute_time("h200", step1("float32")).seconds, 0.1725);
  EXPECT_DOUBLE_EQ(compute_time("h200", step1("tf32")).seconds, 0.1725);
  EXPECT_DOUBLE_EQ(compute_time("h200", step2("bf16")).seconds, 0.0602);
  EXPECT_DOUBLE_EQ(compute_time("h200", step2("float32")).seconds, 0.0621);
  auto deep = step2("fp16");
  deep.depth = 50;
  EXPECT_DOUBLE_EQ(compute_time("h200", deep).seconds, 0.0788);
}

TEST(ComputeTime, IsScaledByOperationsAndSaysSo) {
  auto half_the_batch = step2("bf16");
  half_the_batch.batch = 8;
  EXPECT_DOUBLE_EQ(compute_time("h200", half_the_batch).seconds, 0.0301);
  EXPECT_THAT(compute_time("h200", half_the_batch).source,
              AllOf(HasSubstr("scaled by operations"), HasSubstr("kernel launches bound")));
  auto large = step2("bf16");
  large.size = 512;
  EXPECT_DOUBLE_EQ(compute_time("h200", large).seconds, 4 * 0.0602);
  EXPECT_THAT(compute_time("h200", large).source,
              AllOf(HasSubstr("scaled by operations"), Not(HasSubstr("kernel launches bound"))));
  auto small_network = step1("bf16");
  small_network.depth = 18;
  EXPECT_NEAR(compute_time("h200", small_network).seconds, 0.0999 * 1.82 / 4.09, 1e-12);
}

TEST(ComputeTime, OfAnH100IsAnH200sByAFactorThatIsStated) {
  const auto seen = compute_time("h100", step2("bf16"));
  EXPECT_DOUBLE_EQ(seen.seconds, 0.0602 * (4.8 / 3.35));
  EXPECT_THAT(seen.source,
              AllOf(HasSubstr("on one H200"),
                    HasSubstr("no H100 was measured: times 4.8 / 3.35"),
                    HasSubstr("the most that it can be")));
}

TEST(ComputeTime, OfAnA100AndAV100IsWhatWasPublished) {
  EXPECT_DOUBLE_EQ(compute_time("a100", step1("float32")).seconds, 256 / 938.0 * 4 / 3);
  EXPECT_DOUBLE_EQ(compute_time("a100", step1("bf16")).seconds, 256 / 2470.0 * 4 / 3);
  EXPECT_DOUBLE_EQ(compute_time("v100", step1("float32")).seconds, 256 / 168.0);
  EXPECT_DOUBLE_EQ(compute_time("v100", step1("bf16")).seconds, 256 / 168.0);
  EXPECT_THAT(compute_time("a100", step1("float32")).source,
              HasSubstr("A100, supervised ResNet-50 in TF32 at 938 images/s, times 4/3"));
}

TEST(ComputeTime, OfStep2IsUnknownForTheOlderCards) {
  const auto seen = compute_time("a100", step2("bf16"));
  EXPECT_EQ(seen.seconds, 0);
  EXPECT_THAT(seen.source, AllOf(HasSubstr("a100"), HasSubstr("--step-seconds")));
}

TEST(ComputeTime, OfAnUnknownCardIsAnErrorThatListsThem) {
  for (const auto& step : {step1("bf16"), step2("bf16")}) {
    try {
      compute_time("k80", step);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kUsage);
      EXPECT_THAT(error.what(),
                  HasSubstr("--gpu is 'k80'; expected one of a100, v100, h100, h200"));
    }
  }
}

TEST(BandwidthWithinNode, IsThatOfTheCardsNvlink) {
  EXPECT_DOUBLE_EQ(bandwidth_within_node("a100"), 232.5e9);
  EXPECT_DOUBLE_EQ(bandwidth_within_node("h100"), 480e9);
  EXPECT_DOUBLE_EQ(bandwidth_within_node("h200"), 480e9);
}

}  // namespace
}  // namespace stc::launcher
