#include "dist/collective_log.h"

#include <algorithm>

namespace stc::dist {

std::int64_t CollectiveLog::begin(const std::string& verb, std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  Total& total = totals_[verb];
  ++total.calls;
  total.bytes += bytes;
  while (recent_.size() >= kept_ && recent_.front().completed) recent_.pop_front();
  const auto now = steady_now();
  if (!first_arrival_) first_arrival_ = now;
  if (pending_++ == 0) busy_since_ = now;
  recent_.push_back({++count_, verb, bytes, now, std::nullopt});
  return count_;
}

void CollectiveLog::end(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  note_end(number);
}

void CollectiveLog::watch(std::int64_t number, std::function<bool()> is_complete) {
  const std::lock_guard lock(mutex_);
  watched_.emplace_back(number, std::move(is_complete));
}

void CollectiveLog::poll() {
  const std::lock_guard lock(mutex_);
  std::erase_if(watched_, [this](const auto& watched) {
    if (!watched.second()) return false;
    note_end(watched.first);
    return true;
  });
}

CollectiveLog::Progress CollectiveLog::progress() const {
  const std::lock_guard lock(mutex_);
  Progress progress{count_, count_, std::nullopt};
  for (const Collective& entry : recent_) {
    if (entry.completed) continue;
    progress.completed = entry.number - 1;
    progress.pending = entry;
    break;
  }
  return progress;
}

void CollectiveLog::note_end(std::int64_t number) {
  const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Collective& entry) {
    return entry.number == number;
  });
  if (found == recent_.end() || found->completed) return;
  found->completed = steady_now();
  if (--pending_ == 0) busy_ += *found->completed - busy_since_;
}

void CollectiveLog::begin_step() {
  const std::lock_guard lock(mutex_);
  step_begin_ = steady_now();
  first_arrival_.reset();
}

double CollectiveLog::first_arrival_seconds() const {
  const std::lock_guard lock(mutex_);
  if (!first_arrival_) return 0;
  return seconds_between(step_begin_, *first_arrival_);
}

std::map<std::string, CollectiveLog::Total> CollectiveLog::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

std::int64_t CollectiveLog::bytes() const {
  std::int64_t bytes = 0;
  for (const auto& [verb, total] : totals()) bytes += total.bytes;
  return bytes;
}

double CollectiveLog::busy_seconds() const {
  const std::lock_guard lock(mutex_);
  const auto now = steady_now();
  const auto busy = pending_ == 0 ? busy_ : busy_ + (now - busy_since_);
  return std::chrono::duration<double>(busy).count();
}

std::vector<Collective> CollectiveLog::recent() const {
  const std::lock_guard lock(mutex_);
  return {recent_.begin(), recent_.end()};
}

}  // namespace stc::dist
