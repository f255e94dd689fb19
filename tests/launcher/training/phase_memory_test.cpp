#include "launcher/training/phase_memory.h"

#include <gmock/gmock.h>

#include <vector>

namespace stc::launcher {
namespace {

using activity::Phase;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// An allocator of which a test says what is in use.
struct FakeMemory {
  std::int64_t now = 0, most = 0;
  void use(std::int64_t bytes) {
    now = bytes;
    most = std::max(most, now);
  }
  MemoryReading read() {
    const MemoryReading reading{now, most};
    most = now;
    return reading;
  }
};

TEST(PhaseMemory, HasTheMostOfEachPhaseOverAllSteps) {
  FakeMemory memory;
  memory.use(900);  // before the training, of no phase
  memory.use(100);
  PhaseMemory phases([&] { return memory.read(); });
  EXPECT_THAT(phases.peaks(), IsEmpty());
  for (const std::int64_t forward : {400, 300}) {
    phases.begin_step();
    phases.enter(Phase::kForward);
    memory.use(forward);
    memory.use(350);
    phases.enter(Phase::kBackward);
    memory.use(500);
    memory.use(200);
    phases.enter(Phase::kUpdate);
    memory.use(250);
    phases.end_step();
    memory.use(800);  // a validation
    memory.use(120);
  }
  EXPECT_THAT(
      phases.peaks(),
      ElementsAre(
          Pair(Phase::kForward, 400), Pair(Phase::kBackward, 500), Pair(Phase::kUpdate, 250)));
  EXPECT_EQ(phases.peak(), 500);
  EXPECT_EQ(phases.between_steps(), 120);
}

TEST(PhaseMemory, OfAStepThatFailedCountsThePhaseUnderWay) {
  FakeMemory memory;
  PhaseMemory phases([&] { return memory.read(); });
  phases.begin_step();
  phases.enter(Phase::kForward);
  memory.use(700);
  memory.use(0);  // given back while the error passes
  phases.end_step();
  EXPECT_EQ(phases.peak(), 700);
}

}  // namespace
}  // namespace stc::launcher
