#include "monitoring/activity.h"

#include <mutex>

namespace stc::activity {
namespace {

struct Current {
  std::mutex mutex;
  Activity activity{0, Phase::kStarting, steady_now()};
};

Current& current() {
  static Current* const only = new Current;  // outlives every thread that reads it
  return *only;
}

}  // namespace

void begin_step(std::int64_t step) {
  const std::lock_guard lock(current().mutex);
  current().activity.step = step;
}

void enter(Phase phase) {
  const std::lock_guard lock(current().mutex);
  current().activity.phase = phase;
  current().activity.since = steady_now();
}

Activity now() {
  const std::lock_guard lock(current().mutex);
  return current().activity;
}

const char* name(Phase phase) {
  switch (phase) {
    case Phase::kStarting:
      return "start-up";
    case Phase::kDataWait:
      return "data wait";
    case Phase::kForward:
      return "forward";
    case Phase::kBackward:
      return "backward";
    case Phase::kUpdate:
      return "update";
    case Phase::kProbe:
      return "probe";
    case Phase::kCheckpoint:
      return "checkpoint";
    case Phase::kEnding:
      return "end of the run";
  }
  return "unknown";
}

}  // namespace stc::activity
