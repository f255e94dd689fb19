// All-reduce through memory that the ranks of one host share: a rank reads what the others wrote
// instead of being sent it.
#pragma once

#include <c10/core/ScalarType.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "dist/communicator.h"

namespace stc::dist {

/// One for each rank, over the same memory. The sums are those of all_reduce_in_rank_order(). A
/// piece of the tensor is added up while the next one is written, and ranks that wait sleep in the
/// kernel (a futex), so that compute threads have the cores.
class SharedReduction {
 public:
  /// Throws stc::Error where a wait has lasted too long or was cancelled; called from time to time.
  using WhileWaiting = std::function<void(std::chrono::steady_clock::time_point since)>;

  static std::size_t memory_bytes(int ranks);
  /// `memory`: memory_bytes() of zeros, aligned to a page, freed when the last copy of the pointer
  /// goes.
  SharedReduction(std::shared_ptr<std::byte> memory,
                  int rank,
                  int ranks,
                  WhileWaiting while_waiting);

  /// In place. Throws stc::Error where ranks differ in length, type or operation.
  void all_reduce(void* data, std::int64_t elements, at::ScalarType type, ReduceOp op);

  /// This rank will take part no more: the others throw (kLostRank) instead of waiting. From any
  /// thread.
  void leave();

 private:
  struct Sign;   // of one rank: how far it is
  struct Claim;  // of one rank: what it believes it is reducing
  struct Job;
  Sign& sign(int rank) const;
  std::byte* slot(int rank, std::uint32_t piece) const;
  void write(const Job& job, std::uint32_t piece) const;
  void combine(const Job& job, std::uint32_t piece) const;
  void read(const Job& job, std::uint32_t piece) const;
  void check_claims(const Job& job) const;
  void announce(std::atomic<std::uint32_t>& counter, std::uint32_t value) const;
  template <typename Counter>
  void wait_for_all(Counter counter, std::uint32_t value) const;

  const std::shared_ptr<std::byte> memory_;
  const int rank_, ranks_;
  const WhileWaiting while_waiting_;
  std::uint32_t pieces_ = 0;  // done in earlier collectives; wraps around
};

}  // namespace stc::dist
