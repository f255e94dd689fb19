// What this rank has handed to collectives: numbered from 1 in the order of calls, which is the
// same on all ranks.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stc::dist {

struct Collective {
  using Time = std::chrono::steady_clock::time_point;
  std::int64_t number = 0;
  std::string verb;
  std::int64_t bytes = 0;         ///< payload that this rank handed in
  Time arrived;                   ///< when this rank called it
  std::optional<Time> completed;  ///< on a GPU: to the next poll()
};

/// Safe to use from any thread.
class CollectiveLog {
 public:
  /// recent() holds the last `kept` that are complete.
  explicit CollectiveLog(std::size_t kept = 64) : kept_(kept) {}

  std::int64_t begin(const std::string& verb, std::int64_t bytes);  ///< its number
  void end(std::int64_t number);

  /// For a collective that cannot tell when it is complete (a GPU's): poll() asks, and notes the
  /// end.
  void watch(std::int64_t number, std::function<bool()> is_complete);
  void poll();

  struct Progress {
    std::int64_t arrived = 0;           ///< number of the last one called
    std::int64_t completed = 0;         ///< all up to this number are complete
    std::optional<Collective> pending;  ///< number completed + 1, where it was called
  };
  Progress progress() const;

  /// Called where a step begins, for all ranks at about one time: first_arrival_seconds() is then
  /// the time from here to the first collective called (0 until then), which tells early ranks from
  /// late ones.
  void begin_step();
  double first_arrival_seconds() const;

  struct Total {
    std::int64_t calls = 0;
    std::int64_t bytes = 0;
  };
  std::map<std::string, Total> totals() const;  ///< by verb
  std::int64_t bytes() const;                   ///< of all collectives so far
  /// Time in which at least one collective was under way: called and not yet known to be complete.
  double busy_seconds() const;
  std::vector<Collective> recent() const;  ///< the last ones and all that are pending, newest last

 private:
  void note_end(std::int64_t number);  // with the lock held

  const std::size_t kept_;
  mutable std::mutex mutex_;
  std::deque<Collective> recent_;
  std::vector<std::pair<std::int64_t, std::function<bool()>>> watched_;
  Collective::Time step_begin_ = Collective::Time::clock::now();
  std::optional<Collective::Time> first_arrival_;
  std::int64_t count_ = 0;
  std::int64_t pending_ = 0;
  Collective::Time busy_since_;  // while pending_ > 0
  Collective::Time::duration busy_{};
  std::map<std::string, Total> totals_;
};

}  // namespace stc::dist
