#include "dist/collective_log.h"

#include <algorithm>

namespace stc::dist {

std::int64_t CollectiveLog::begin(const std::string& verb, std::int64_t bytes) {
  constexpr std::size_t kKept = 64;
  const std::lock_guard lock(mutex_);
  bytes_ += bytes;
  if (recent_.size() == kKept) recent_.pop_front();
  recent_.push_back({++count_, verb, bytes, Collective::Time::clock::now(), std::nullopt});
  return count_;
}

void CollectiveLog::end(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Collective& entry) {
    return entry.number == number;
  });
  if (found != recent_.end()) found->completed = Collective::Time::clock::now();
}

std::int64_t CollectiveLog::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::vector<Collective> CollectiveLog::recent() const {
  const std::lock_guard lock(mutex_);
  return {recent_.begin(), recent_.end()};
}

}  // namespace stc::dist
