// Constants that every step uses, made once. A constant made again for each step costs launches,
// and on a GPU one copied from the host makes the host wait for the device.
#pragma once

#include <map>
#include <mutex>

namespace stc::models {

/// Values by key; safe to use from any thread. Make one as `static auto& x = *new MadeOnce<...>`:
/// never destroyed, since a GPU's memory may be gone before the program's statics are.
template <typename Key, typename Value>
class MadeOnce {
 public:
  template <typename Make>
  const Value& get(const Key& key, const Make& make) {
    const std::lock_guard lock(mutex_);
    auto found = values_.find(key);
    if (found == values_.end()) found = values_.emplace(key, make()).first;
    return found->second;
  }

 private:
  std::mutex mutex_;
  std::map<Key, Value> values_;
};

}  // namespace stc::models
