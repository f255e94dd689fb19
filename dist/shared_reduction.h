// All-reduce through memory that the ranks of one host share: a rank reads what the others wrote
// instead of receiving it as a message.
//
// A tensor is cut into pieces, a piece into one share per rank. Every rank has three slots in the
// memory, and piece n lies in slot n % 3, so that three pieces are in work at a time. Here three
// ranks; v is a rank's own values of a share, S the share's sum over all ranks, - not written:
//
//               slot 0         slot 1         slot 2
//             (piece n-1)     (piece n)     (piece n+1)
//   rank 0   | S  v  v |    | S  v  v |    | -  v  v |
//   rank 1   | v  S  v |    | v  S  v |    | v  -  v |
//   rank 2   | v  v  S |    | v  v  S |    | v  v  - |
//               read          combined       written
//
//   written    a rank copies its values into its slot, except for its own share
//   combined   rank r adds up column r, in rank order, and puts the sum S into its slot
//   read       a rank copies the S of all other ranks into its tensor
//
// Piece n+2 then takes the slot of piece n-1. Counters in the memory tell how many pieces each rank
// has written and combined; ranks wait for nothing else.
#pragma once

#include <c10/core/ScalarType.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "dist/communicator.h"

namespace stc::dist {

/// One per rank, over the same memory. The sums are those of all_reduce_in_rank_order(). Ranks that
/// wait sleep in the kernel (a futex), so that compute threads have the cores.
class SharedReduction {
 public:
  /// Throws stc::Error if a wait has lasted too long or was cancelled; called from time to time.
  using WhileWaiting = std::function<void(double seconds_waited)>;

  static std::size_t memory_bytes(int ranks);
  /// `memory`: memory_bytes() of zeros, aligned to a page, freed when the last copy of the pointer
  /// goes.
  SharedReduction(std::shared_ptr<std::byte> memory,
                  int rank,
                  int ranks,
                  WhileWaiting while_waiting);

  /// In place. Throws stc::Error if ranks differ in length, type or operation.
  void all_reduce(void* data, std::int64_t elements, at::ScalarType type, ReduceOp op);

  /// This rank takes no further part: the others throw (kLostRank) instead of waiting. From any
  /// thread.
  void leave();

 private:
  struct Operation;  // length, type and op: the same on all ranks of a collective
  struct Progress;   // of one rank, in the shared memory
  struct Job;
  Progress& progress(int rank) const;
  std::byte* slot(int rank, std::uint32_t piece) const;
  void write(const Job& job, std::uint32_t piece) const;
  void combine(const Job& job, std::uint32_t piece) const;
  void read(const Job& job, std::uint32_t piece) const;
  void check_same_operation(const Job& job) const;
  void announce(std::atomic<std::uint32_t>& counter, std::uint32_t value) const;
  template <typename Counter>
  void wait_for_all(Counter counter, std::uint32_t value) const;

  const std::shared_ptr<std::byte> memory_;
  const int rank_, ranks_;
  const WhileWaiting while_waiting_;
  std::uint32_t pieces_ = 0;  // done in earlier collectives; wraps around
};

}  // namespace stc::dist
