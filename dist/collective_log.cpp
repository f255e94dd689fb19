#include "dist/collective_log.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

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
  auto* const entry = pending(number);
  if (entry == nullptr) return;
  entry->completed = steady_now();
  if (--pending_ == 0) busy_ += *entry->completed - busy_since_;
}

void CollectiveLog::watch(std::int64_t number,
                          const void* group,
                          std::function<DeviceProgress()> ask) {
  const std::lock_guard lock(mutex_);
  if (--pending_ == 0) busy_ += steady_now() - busy_since_;
  watched_.push_back({number, step_, group, std::move(ask)});
  ++current_.incomplete;
}

namespace {

// A question to a device in error throws; that error is the collective's caller's to report.
DeviceProgress ask(const std::function<DeviceProgress()>& question) {
  try {
    return question();
  } catch (const std::exception&) {
    return {DeviceProgress::State::kFailed};
  }
}

double longest(const std::map<const void*, double>& seconds) {
  double longest = 0;
  for (const auto& [group, of_group] : seconds) longest = std::max(longest, of_group);
  return longest;
}

}  // namespace

void CollectiveLog::poll() {
  std::vector<Watched> asked;
  {
    const std::lock_guard lock(mutex_);
    asked.swap(watched_);
  }
  std::vector<Watched> still;
  for (auto& watched : asked) {
    const auto progress = ask(watched.ask);
    const std::lock_guard lock(mutex_);
    if (progress.state == DeviceProgress::State::kPending) still.push_back(std::move(watched));
    if (progress.state != DeviceProgress::State::kComplete) continue;
    pending(watched.number)->completed = steady_now();
    device_seconds_[watched.group] += progress.seconds;
    if (auto* const step = on_device(watched.step)) {
      --step->incomplete;
      step->seconds[watched.group] += progress.seconds;
    }
  }
  const std::lock_guard lock(mutex_);
  watched_.insert(watched_.begin(),
                  std::make_move_iterator(still.begin()),
                  std::make_move_iterator(still.end()));
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

Collective* CollectiveLog::pending(std::int64_t number) {
  const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Collective& entry) {
    return entry.number == number;
  });
  return found == recent_.end() || found->completed ? nullptr : &*found;
}

void CollectiveLog::begin_step() {
  const std::lock_guard lock(mutex_);
  step_begin_ = steady_now();
  first_arrival_.reset();
  ++step_;
  last_ = std::exchange(current_, {});
}

CollectiveLog::StepOnDevice* CollectiveLog::on_device(std::int64_t step) {
  if (step == step_) return &current_;
  return step == step_ - 1 ? &last_ : nullptr;
}

std::optional<double> CollectiveLog::last_step_device_seconds() const {
  const std::lock_guard lock(mutex_);
  if (last_.incomplete > 0 || last_.seconds.empty()) return std::nullopt;
  return longest(last_.seconds);
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
  return longest(device_seconds_) + std::chrono::duration<double>(busy).count();
}

std::vector<Collective> CollectiveLog::recent() const {
  const std::lock_guard lock(mutex_);
  return {recent_.begin(), recent_.end()};
}

}  // namespace stc::dist
