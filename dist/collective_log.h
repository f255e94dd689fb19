// What this rank has handed to collectives: numbered from 1 in the order of calls, which is the
// same on all ranks.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace stc::dist {

struct Collective {
  using Time = std::chrono::steady_clock::time_point;
  std::int64_t number = 0;
  std::string verb;
  std::int64_t bytes = 0;         ///< payload that this rank handed in
  Time arrived;                   ///< when this rank called it
  std::optional<Time> completed;  ///< on a GPU: when it was queued on the stream
};

/// Safe to use from any thread.
class CollectiveLog {
 public:
  std::int64_t begin(const std::string& verb, std::int64_t bytes);  ///< its number
  void end(std::int64_t number);

  std::int64_t bytes() const;              ///< of all collectives so far
  std::vector<Collective> recent() const;  ///< the last 64, newest last

 private:
  mutable std::mutex mutex_;
  std::deque<Collective> recent_;
  std::int64_t count_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace stc::dist
