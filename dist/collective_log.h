// The collectives that this rank has called: numbered from 1 in the order of calls, which is the
// same on all ranks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "monitoring/stopwatch.h"

namespace stc::dist {

struct Collective {
  std::int64_t number = 0;
  std::string verb;
  std::int64_t bytes = 0;               ///< payload that this rank handed in
  SteadyTime arrived;                   ///< when this rank called it
  std::optional<SteadyTime> completed;  ///< on a GPU: as of the next poll()
};

/// What a collective on a GPU answers when it is asked.
struct DeviceProgress {
  enum class State { kPending, kComplete, kFailed } state = State::kPending;
  double seconds = 0;  ///< its time on the device, once it is complete
};

/// Safe to use from any thread.
class CollectiveLog {
 public:
  /// recent() holds the last `kept` that are complete.
  explicit CollectiveLog(std::size_t kept = 64) : kept_(kept) {}

  std::int64_t begin(const std::string& verb, std::int64_t bytes);  ///< its number
  void end(std::int64_t number);

  /// For a collective that cannot tell when it is complete (a GPU's): poll() asks, on the thread
  /// that calls it and without the log's lock, and records the end. One that has failed, or whose
  /// question throws, stays pending and is not asked again. `group`: collectives of one group run
  /// one after the other.
  void watch(std::int64_t number, const void* group, std::function<DeviceProgress()> ask);
  void poll();

  struct Progress {
    std::int64_t arrived = 0;           ///< number of the last one called
    std::int64_t completed = 0;         ///< all up to this number are complete
    std::optional<Collective> pending;  ///< number completed + 1, once it is called
  };
  Progress progress() const;

  /// Called when a step begins, on all ranks at about the same time: first_arrival_seconds() is
  /// then the time from here to the first collective called (0 until then), which tells early ranks
  /// from late ones.
  void begin_step();
  double first_arrival_seconds() const;

  /// The same where host clocks see nothing, since a GPU does the work later: how long this rank's
  /// collectives of the step before the current one took on the device, as of the last poll(). They
  /// begin when this rank arrives and end when all have, so that a late rank has the shortest ones.
  /// The longest of the groups. Empty if one is not complete yet or has failed, or there was none.
  std::optional<double> last_step_device_seconds() const;

  struct Total {
    std::int64_t calls = 0;
    std::int64_t bytes = 0;
  };
  std::map<std::string, Total> totals() const;  ///< by verb
  std::int64_t bytes() const;                   ///< of all collectives so far
  /// Time in which at least one collective was under way, from its call to its end; of those on a
  /// GPU their time on the device, in the group with the most of it.
  double busy_seconds() const;
  std::vector<Collective> recent() const;  ///< the last ones and all that are pending, newest last

 private:
  Collective* pending(std::int64_t number);  // with the lock held; null if it has ended

  const std::size_t kept_;
  mutable std::mutex mutex_;
  std::deque<Collective> recent_;
  struct Watched {
    std::int64_t number, step;
    const void* group;
    std::function<DeviceProgress()> ask;
  };
  using SecondsOfGroups = std::map<const void*, double>;
  struct StepOnDevice {
    std::int64_t incomplete = 0;
    SecondsOfGroups seconds;
  };
  StepOnDevice* on_device(std::int64_t step);  // null for one before the last

  std::vector<Watched> watched_;
  std::int64_t step_ = 0;  // how many have begun
  StepOnDevice current_, last_;
  SteadyTime step_begin_ = steady_now();
  std::optional<SteadyTime> first_arrival_;
  std::int64_t count_ = 0;
  std::int64_t pending_ = 0;  // those that end() will end
  SteadyTime busy_since_;     // while pending_ > 0
  SecondsOfGroups device_seconds_;
  SteadyTime::duration busy_{};
  std::map<std::string, Total> totals_;
};

}  // namespace stc::dist
