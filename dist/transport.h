// How bytes move between ranks: three verbs on host memory, from which host_backend.cpp builds
// every collective. Two implementations: Open MPI between processes, and threads of one process for
// tests, so that all code above is the same in both.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace stc::dist {

class SharedReduction;

using Bytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;

/// Verbs are called by one thread of a rank, in the same order on all ranks. Each throws stc::Error
/// (kLostRank) when it takes longer than the time the transport was made with, or after cancel();
/// the transport cannot be used after that.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// send[r] goes to rank r, receive[r] comes from rank r; the two ends agree on the length. A
  /// block to oneself is copied.
  virtual void exchange(const std::vector<ConstBytes>& send, const std::vector<Bytes>& receive) = 0;
  virtual void broadcast(Bytes data, int root) = 0;
  virtual void barrier() = 0;

  /// The faster way to sum when all ranks are on one host; null otherwise.
  virtual SharedReduction* shared_reduction() { return nullptr; }

  /// For the verbs that start from now on; may be called from any thread.
  virtual void set_timeout(std::chrono::milliseconds timeout) = 0;
  virtual void cancel() = 0;  ///< from any thread: a verb that waits throws
};

/// Open MPI, with a communicator of its own. MPI must be started, and must outlive it.
std::unique_ptr<Transport> make_mpi_transport(std::chrono::milliseconds timeout);

/// Throws stc::Error (kLostRank) with the call's name and MPI's own message unless code is
/// MPI_SUCCESS.
void check_mpi(int code, const char* call);

/// One for each of `ranks` threads.
std::vector<std::unique_ptr<Transport>> make_thread_transports(int ranks,
                                                               std::chrono::milliseconds timeout);

}  // namespace stc::dist
