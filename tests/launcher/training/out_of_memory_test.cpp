#include "launcher/training/out_of_memory.h"

#include <gmock/gmock.h>

namespace stc::launcher {
namespace {

using activity::Phase;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

// As LibTorch 2.13 writes it.
constexpr const char* kMessage =
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB of "
    "which 512.00 MiB is free. Including non-PyTorch memory, this process has 78.50 GiB memory in "
    "use. Of the allocated memory 73.00 GiB is allocated by PyTorch, and 1.50 GiB is reserved by "
    "PyTorch but unallocated. If reserved but unallocated memory is large try setting "
    "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.";

FailedAllocation failed() { return parse_failed_allocation(kMessage); }

// 73 + 2 GiB for 64 samples, 3 GiB of which stay between steps: 1.125 GiB each.
FailedStep step() {
  return {.step = 1,
          .phase = Phase::kBackward,
          .between_steps = 3 * kGiB,
          .peaks = {{Phase::kForward, 72 * kGiB}, {Phase::kBackward, 73 * kGiB}},
          .samples = 64};
}

TEST(FailedAllocation, IsWhatLibTorchsMessageSays) {
  const auto seen = failed();
  EXPECT_EQ(seen.asked, 2.0 * kGiB);
  EXPECT_NEAR(seen.capacity, 79.1 * kGiB, 1);
  EXPECT_EQ(seen.free, 0.5 * kGiB);
  EXPECT_EQ(seen.in_use, 73.0 * kGiB);
  EXPECT_EQ(seen.reserved, 1.5 * kGiB);
  EXPECT_EQ(parse_failed_allocation("Tried to allocate 512 bytes. GPU 0").asked, 512);
  EXPECT_EQ(parse_failed_allocation("Tried to allocate 20.00 KiB. GPU 0").asked, 20 * 1024);
  EXPECT_EQ(parse_failed_allocation("no memory").asked, 0);
}

TEST(SamplesThatFit, AreThoseThatTheRoomBesideWhatStaysHas) {
  // 73 + 1.5 + 0.5 - 3 = 72 GiB of room.
  EXPECT_EQ(samples_that_fit(failed(), step()), 64);
  auto less = failed();
  less.reserved = 0;
  less.free = 0;  // 70 GiB
  EXPECT_EQ(samples_that_fit(less, step()), 62);
  less.asked = 70.0 * kGiB;  // 140 / 64 GiB each
  EXPECT_EQ(samples_that_fit(less, step()), 32);
}

TEST(SamplesThatFit, AreFewerIfAnEarlierStepHadMore) {
  auto earlier = step();
  earlier.peaks[Phase::kBackward] = 147 * kGiB;  // 2.25 GiB each
  EXPECT_EQ(samples_that_fit(failed(), earlier), 32);
}

TEST(SamplesThatFit, AreUnknownWithoutSizesInTheMessage) {
  EXPECT_EQ(samples_that_fit(parse_failed_allocation("no memory"), step()), -1);
}

TEST(SamplesThatFit, AreNoneWhenWhatStaysIsAllThatThereIs) {
  auto full = step();
  full.between_steps = 74 * kGiB;
  auto little = failed();
  little.reserved = little.free = 0;
  EXPECT_EQ(samples_that_fit(little, full), 0);
}

TEST(OutOfMemoryText, SaysWhatWasAskedWhatIsHeldByPhaseAndWhatWouldFit) {
  auto scarce = failed();
  scarce.reserved = 0;
  EXPECT_EQ(out_of_memory_text(scarce, step()),
            "step 1, backward: the GPU's memory does not suffice: asked for 2.0 GiB; in use by "
            "tensors: 73.0 GiB, reserved beside them: 0 MiB, free: 512 MiB, of 79.1 GiB; most in "
            "use by phase: forward 72.0 GiB, backward 73.0 GiB; between steps: 3.0 GiB; this rank "
            "computes 64 samples at once, and about 62 would fit, estimated by 1.1 GiB per sample; "
            "lower train.batch_size, raise train.accumulate, or train on more ranks");
}

TEST(OutOfMemoryText, IsAnUpperBoundWhenForwardFailed) {
  auto scarce = failed();
  scarce.reserved = 0;
  auto forward = step();
  forward.phase = Phase::kForward;
  EXPECT_THAT(out_of_memory_text(scarce, forward), HasSubstr("at most 62 would fit"));
}

TEST(OutOfMemoryText, SaysThatMemoryIsInPiecesIfItWouldSuffice) {
  EXPECT_THAT(out_of_memory_text(failed(), step()),
              AllOf(HasSubstr("would suffice, but not in one piece"), Not(HasSubstr("would fit"))));
}

TEST(OutOfMemoryText, OfAnUnknownMessageStillHasThePhases) {
  EXPECT_EQ(out_of_memory_text(parse_failed_allocation("no memory"), step()),
            "step 1, backward: the GPU's memory does not suffice; most in use by phase: forward "
            "72.0 GiB, backward 73.0 GiB; between steps: 3.0 GiB; lower train.batch_size, raise "
            "train.accumulate, or train on more ranks");
}

}  // namespace
}  // namespace stc::launcher
