#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "dist/transport.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

/// Shared by the threads. A rank publishes the addresses of its blocks; the others copy between two
/// barriers.
class Meeting {
 public:
  Meeting(int ranks, std::chrono::milliseconds timeout)
      : blocks(ranks), ranks_(ranks), timeout_(timeout) {}

  void barrier() {
    std::unique_lock lock(mutex_);
    STC_CHECK_AS(Exit::kLostRank, !broken_, "another rank left");
    const std::int64_t round = round_;
    const auto timeout = timeout_;
    if (++arrived_ == ranks_) {
      arrived_ = 0;
      ++round_;
      complete_.notify_all();
      return;
    }
    const bool woken =
        complete_.wait_for(lock, timeout, [&] { return round_ != round || broken_; });
    if (round_ != round) return;
    broken_ = true;
    complete_.notify_all();
    STC_CHECK_AS(Exit::kLostRank,
                 woken,
                 "not complete after {} s: {} of {} ranks did not arrive",
                 timeout.count() / 1000.0,
                 ranks_ - arrived_,
                 ranks_);
    throw Error(Exit::kLostRank, "another rank left");
  }

  void set_timeout(std::chrono::milliseconds timeout) {
    const std::lock_guard lock(mutex_);
    timeout_ = timeout;
  }

  void leave() {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    complete_.notify_all();
  }

  std::vector<std::vector<ConstBytes>> blocks;  // [from][to]

 private:
  const int ranks_;
  std::mutex mutex_;
  std::chrono::milliseconds timeout_;
  std::condition_variable complete_;
  int arrived_ = 0;
  std::int64_t round_ = 0;
  bool broken_ = false;
};

class ThreadTransport : public Transport {
 public:
  ThreadTransport(int rank, int size, std::shared_ptr<Meeting> meeting)
      : rank_(rank), size_(size), meeting_(std::move(meeting)) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void exchange(const std::vector<ConstBytes>& send, const std::vector<Bytes>& receive) override {
    meeting_->blocks[rank_] = send;
    meeting_->barrier();
    for (int peer = 0; peer < size_; ++peer) {
      const ConstBytes block = meeting_->blocks[peer][rank_];
      STC_CHECK(
          block.size() == receive[peer].size(),
          "rank {} expects {} bytes from rank {}, which sends {}; shapes differ between ranks",
          rank_,
          receive[peer].size(),
          peer,
          block.size());
      if (!block.empty() && block.data() != receive[peer].data()) {
        std::memcpy(receive[peer].data(), block.data(), block.size());
      }
    }
    meeting_->barrier();
  }

  void broadcast(Bytes data, int root) override {
    std::vector<ConstBytes> send(size_, rank_ == root ? ConstBytes(data) : ConstBytes());
    std::vector<Bytes> receive(size_);
    receive[root] = data;
    exchange(send, receive);
  }

  void barrier() override { meeting_->barrier(); }
  void set_timeout(std::chrono::milliseconds timeout) override { meeting_->set_timeout(timeout); }
  void cancel() override { meeting_->leave(); }

 private:
  const int rank_;
  const int size_;
  const std::shared_ptr<Meeting> meeting_;
};

}  // namespace

std::vector<std::unique_ptr<Transport>> make_thread_transports(int ranks,
                                                               std::chrono::milliseconds timeout) {
  const auto meeting = std::make_shared<Meeting>(ranks, timeout);
  std::vector<std::unique_ptr<Transport>> result;
  for (int rank = 0; rank < ranks; ++rank) {
    result.push_back(std::make_unique<ThreadTransport>(rank, ranks, meeting));
  }
  return result;
}

}  // namespace stc::dist
