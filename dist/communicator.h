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
  /// all_reduce() that has begun: the tensor holds the result when the returned function, to be
  /// called once, returns.
  virtual std::function<void()> start_all_reduce(at::Tensor tensor, ReduceOp op) = 0;
  virtual void broadcast(at::Tensor tensor, int root) = 0;  ///< in place
  /// [n, ...] -> [size * n, ...], in rank order
  virtual at::Tensor all_gather(const at::Tensor& tensor) = 0;
  /// Row blocks: block r of the input (send_rows[r] rows) goes to rank r; returns the rows
  /// received, in rank order.
  virtual at::Tensor all_to_all(const at::Tensor& rows,
                                const std::vector<std::int64_t>& send_rows,
                                const std::vector<std::int64_t>& receive_rows) = 0;
  virtual void barrier() = 0;

  virtual void set_timeout(double seconds) = 0;  ///< of the collectives called from now on
  /// Payload handed to collectives by this rank so far.
  virtual std::int64_t bytes_sent() const = 0;
  bool is_root() const { return rank() == 0; }
};

/// The place of this process among all ranks.
struct World {
  int rank = 0, size = 1, local_rank = 0, local_size = 1;
  int cores = 1;            ///< that this process may run on
  bool owns_cores = false;  ///< no other rank of this host computes on them
  std::string launcher;     ///< "mpirun", "srun" or "none"
};

/// Owns MPI from start to end of the program (MPI_THREAD_MULTIPLE); started only under a launcher.
class Session {
 public:
  Session();   ///< throws stc::Error if MPI does not start
  ~Session();  ///< finalises
  Session(const Session&) = delete;
  const World& world() const { return world_; }
  /// The log that all communicators made from this session share.
  const std::shared_ptr<CollectiveLog>& log() const { return log_; }
  /// Ends all ranks at once with this exit code: for an error that the others do not see.
  [[noreturn]] void abort(int code);

 private:
  World world_;
  std::shared_ptr<CollectiveLog> log_;
};

struct CommunicatorOptions {
  double timeout_seconds = 600;  ///< a collective that takes longer is an error (kLostRank)
  bool high_priority = false;    ///< on a GPU: starts before other work that is ready
};

/// A world of one; ranks over Open MPI for tensors on the CPU; or NCCL for those on a GPU, which
/// must be the process's current one.
std::shared_ptr<Communicator> make_communicator(const Session& session,
                                                at::Device device,
                                                const CommunicatorOptions& options);

/// N ranks as threads of this process, for tests. Joins them and rethrows the first error.
void run_ranks(int ranks, const std::function<void(Communicator&)>& body);

/// The CPU communicator of one rank of a world without the others, for a dry run: each collective
/// completes at once with values of the right shape that mean nothing. `log` records them, counted
/// as in a real world.
std::shared_ptr<Communicator> make_fake_communicator(const World& world,
                                                     std::shared_ptr<CollectiveLog> log);

}  // namespace stc::dist
