#include "dist/shared_reduction.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <ctime>
#include <vector>

#include "dist/rank_order_reduction.h"
#include "monitoring/check.h"
#include "monitoring/stopwatch.h"

namespace stc::dist {
namespace {

// A piece is still in the cache when the other rank reads it.
constexpr std::size_t kPieceBytes = std::size_t{512} << 10;
constexpr std::uint32_t kSlots = 3;
constexpr std::size_t kPageBytes = 4096;  // the progress of two ranks never shares a page

// Below this, every rank adds up everything: the ranks wait for each other once, not twice.
constexpr std::size_t kSmallBytes = std::size_t{16} << 10;

constexpr std::chrono::milliseconds kLongestSleep(20);

// std::atomic::wait() works within one process only.
void sleep_while(const std::atomic<std::uint32_t>& word, std::uint32_t value) {
  const timespec time = {0, std::chrono::nanoseconds(kLongestSleep).count()};
  syscall(SYS_futex, &word, FUTEX_WAIT, value, &time, nullptr, 0);
}

void wake_all(const std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

bool reached(std::uint32_t counter, std::uint32_t value) {
  return static_cast<std::int32_t>(counter - value) >= 0;
}

std::size_t rounded_up(std::size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

}  // namespace

struct SharedReduction::Operation {
  std::int64_t elements;
  std::int32_t type, op;
  bool operator==(const Operation&) const = default;
};

struct SharedReduction::Progress {
  std::atomic<std::uint32_t> written;   // pieces that the others may read
  std::atomic<std::uint32_t> combined;  // pieces whose share is added up
  std::atomic<std::uint32_t> left;
  Operation operations[kSlots];  // beside the slots, by the first piece of a collective
};

struct SharedReduction::Job {
  std::byte* data;
  std::size_t bytes, width, piece_bytes;
  at::ScalarType type;
  ReduceOp op;
  bool small;
  std::uint32_t first;  // number of its first piece
  Operation operation;

  std::size_t begin(std::uint32_t piece) const { return (piece - first) * piece_bytes; }
  std::size_t size(std::uint32_t piece) const {
    return std::min(piece_bytes, bytes - begin(piece));
  }
  // [from, to) of the piece that rank `rank` adds up.
  std::pair<std::size_t, std::size_t> share(std::uint32_t piece, int rank, int ranks) const {
    const std::size_t count = size(piece) / width;
    if (small) return {0, size(piece)};
    return {count * rank / ranks * width, count * (rank + 1) / ranks * width};
  }
};

std::size_t SharedReduction::memory_bytes(int ranks) {
  return ranks * (rounded_up(sizeof(Progress)) + kSlots * kPieceBytes);
}

SharedReduction::SharedReduction(std::shared_ptr<std::byte> memory,
                                 int rank,
                                 int ranks,
                                 WhileWaiting while_waiting)
    : memory_(std::move(memory)),
      rank_(rank),
      ranks_(ranks),
      while_waiting_(std::move(while_waiting)) {}

SharedReduction::Progress& SharedReduction::progress(int rank) const {
  return *reinterpret_cast<Progress*>(memory_.get() + rank * rounded_up(sizeof(Progress)));
}

std::byte* SharedReduction::slot(int rank, std::uint32_t piece) const {
  const std::size_t index = static_cast<std::size_t>(rank) * kSlots + piece % kSlots;
  return memory_.get() + ranks_ * rounded_up(sizeof(Progress)) + index * kPieceBytes;
}

// Writing piece n overwrites n - 3, which the others have read: they announced the sum of n - 1
// after that.
void SharedReduction::all_reduce(void* data,
                                 std::int64_t elements,
                                 at::ScalarType type,
                                 ReduceOp op) {
  Job job;
  job.data = static_cast<std::byte*>(data);
  job.width = c10::elementSize(type);
  job.bytes = elements * job.width;
  job.type = type;
  job.op = op;
  job.small = job.bytes <= kSmallBytes;
  job.piece_bytes = kPieceBytes;
  job.first = pieces_;
  job.operation = {elements, static_cast<std::int32_t>(type), static_cast<std::int32_t>(op)};
  const auto count = static_cast<std::uint32_t>(
      std::max<std::size_t>(1, (job.bytes + kPieceBytes - 1) / kPieceBytes));
  Progress& own = progress(rank_);
  own.operations[job.first % kSlots] = job.operation;
  write(job, job.first);
  announce(own.written, job.first + 1);
  for (std::uint32_t piece = job.first; piece != job.first + count; ++piece) {
    if (piece + 1 != job.first + count) {
      write(job, piece + 1);
      announce(own.written, piece + 2);
    }
    wait_for_all(
        [](Progress & rank) -> auto& { return rank.written; }, piece + 1);
    if (piece == job.first) check_same_operation(job);
    combine(job, piece);
    announce(own.combined, piece + 1);
    if (job.small) continue;
    wait_for_all(
        [](Progress & rank) -> auto& { return rank.combined; }, piece + 1);
    read(job, piece);
  }
  pieces_ += count;
}

void SharedReduction::write(const Job& job, std::uint32_t piece) const {
  const std::byte* from = job.data + job.begin(piece);
  std::byte* to = slot(rank_, piece);
  if (job.small) {
    std::copy_n(from, job.size(piece), to);  // an empty tensor may have no address
    return;
  }
  const auto [own_begin, own_end] = job.share(piece, rank_, ranks_);
  std::copy_n(from, own_begin, to);
  std::copy_n(from + own_end, job.size(piece) - own_end, to + own_end);
}

void SharedReduction::combine(const Job& job, std::uint32_t piece) const {
  const auto [begin, end] = job.share(piece, rank_, ranks_);
  std::byte* own = job.data + job.begin(piece) + begin;
  std::vector<const std::byte*> parts(ranks_);
  for (int r = 0; r < ranks_; ++r) parts[r] = r == rank_ ? own : slot(r, piece) + begin;
  combine_in_rank_order(
      parts, own, static_cast<std::int64_t>((end - begin) / job.width), job.type, job.op);
  if (!job.small) std::copy_n(own, end - begin, slot(rank_, piece) + begin);
}

void SharedReduction::read(const Job& job, std::uint32_t piece) const {
  for (int r = 0; r < ranks_; ++r) {
    if (r == rank_) continue;
    const auto [begin, end] = job.share(piece, r, ranks_);
    std::copy_n(slot(r, piece) + begin, end - begin, job.data + job.begin(piece) + begin);
  }
}

void SharedReduction::check_same_operation(const Job& job) const {
  for (int r = 0; r < ranks_; ++r) {
    const Operation& other = progress(r).operations[job.first % kSlots];
    STC_CHECK_AS(Exit::kLostRank,
                 other == job.operation,
                 "rank {} reduces {} elements of {}, this rank {} of {}; all ranks must call the "
                 "same collectives in the same order",
                 r,
                 other.elements,
                 c10::toString(static_cast<at::ScalarType>(other.type)),
                 job.operation.elements,
                 c10::toString(job.type));
  }
}

void SharedReduction::announce(std::atomic<std::uint32_t>& counter, std::uint32_t value) const {
  counter.store(value);
  wake_all(counter);
}

template <typename Counter>
void SharedReduction::wait_for_all(Counter counter, std::uint32_t value) const {
  for (int r = 0; r < ranks_; ++r) {
    const auto& word = counter(progress(r));
    const Stopwatch clock;
    for (;;) {
      const std::uint32_t now = word.load();
      if (reached(now, value)) break;
      // A rank may have announced its last piece and then left since the load above.
      for (int other = 0; other < ranks_; ++other) {
        STC_CHECK_AS(Exit::kLostRank,
                     progress(other).left.load() == 0 || reached(word.load(), value),
                     "rank {} left",
                     other);
      }
      while_waiting_(clock.seconds());
      sleep_while(word, now);
    }
  }
}

void SharedReduction::leave() {
  Progress& own = progress(rank_);
  own.left.store(1);
  wake_all(own.written);
  wake_all(own.combined);
}

}  // namespace stc::dist
