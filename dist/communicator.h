// The world as one rank sees it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stc::dist {

enum class ReduceOp { kSum, kMax, kMin };

class CollectiveLog;

/// Every collective is called by all ranks, in the same order, with equal shapes and dtypes.
/// Tensors are contiguous and on the communicator's device. With size() == 1 every call is the
/// identity, so callers never branch. Blocking: on return the result may be used on the current
/// stream.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;        ///< 0 <= rank() < size()
  virtual int size() const = 0;        ///< >= 1
  virtual int local_rank() const = 0;  ///< index of this rank on its host
  virtual int local_size() const = 0;
  virtual std::string host() const = 0;

  virtual void all_reduce(at::Tensor tensor, ReduceOp op = ReduceOp::kSum) = 0;  ///< in place
  virtual void broadcast(at::Tensor tensor, int root) = 0;                       ///< in place
  virtual at::Tensor all_gather(
      const at::Tensor& tensor) = 0;  ///< [n, ...] -> [size * n, ...], rank order
  /// Row blocks: block r of the input (send_rows[r] rows) goes to rank r; returns what came in, in
  /// rank order.
  virtual at::Tensor all_to_all(const at::Tensor& rows,
                                const std::vector<std::int64_t>& send_rows,
                                const std::vector<std::int64_t>& receive_rows) = 0;
  virtual void barrier() = 0;

  virtual void set_timeout(double seconds) = 0;  ///< of the collectives called from now on
  virtual std::int64_t bytes_sent()
      const = 0;  ///< payload handed to collectives by this rank so far
  bool is_root() const { return rank() == 0; }
};

/// How a process came to be one of many.
struct World {
  int rank = 0, size = 1, local_rank = 0, local_size = 1;
  int cores = 1;            ///< that this process may run on
  bool owns_cores = false;  ///< no other rank of this host computes on them
  std::string launcher;     ///< "mpirun", "srun" or "none"
};

/// Owns MPI between start and end of the program (MPI_THREAD_MULTIPLE); started only where a
/// launcher is seen.
class Session {
 public:
  Session();   ///< throws stc::Error where MPI does not start
  ~Session();  ///< finalises
  Session(const Session&) = delete;
  const World& world() const { return world_; }
  const std::shared_ptr<CollectiveLog>& log() const {
    return log_;
  }  ///< of all communicators made from this session
  /// Ends all ranks at once with this exit code: for an error that the others cannot know of.
  [[noreturn]] void abort(int code);

 private:
  World world_;
  std::shared_ptr<CollectiveLog> log_;
};

struct CommunicatorOptions {
  double timeout_seconds = 600;  ///< a collective that takes longer is an error (kLostRank)
};

/// A world of one; ranks over Open MPI for tensors on the CPU; or NCCL for those on a GPU, which
/// must be the process's current one.
std::shared_ptr<Communicator> make_communicator(const Session& session,
                                                at::Device device,
                                                const CommunicatorOptions& options);

/// N ranks as threads of this process, for tests. Joins them and rethrows the first error.
void run_ranks(int ranks, const std::function<void(Communicator&)>& body);

}  // namespace stc::dist
