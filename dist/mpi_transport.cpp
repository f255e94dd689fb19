#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>

#include "dist/shared_reduction.h"
#include "dist/transport.h"
#include "monitoring/check.h"
#include "monitoring/log.h"
#include "monitoring/stopwatch.h"

namespace stc::dist {
namespace {

// MPI counts are int.
constexpr std::size_t kLargestMessage = std::size_t{1} << 30;

// A waiting rank gives its core to the compute threads: blocking MPI calls would spin on it. Short
// waits are polled, so that a small collective costs microseconds; long ones sleep between polls.
constexpr double kPollingSeconds = 1e-4;
constexpr auto kLongestSleep = std::chrono::microseconds(500);

template <typename Span>
std::vector<Span> pieces(Span whole) {
  std::vector<Span> result;
  for (; !whole.empty(); whole = whole.subspan(result.back().size())) {
    result.push_back(whole.first(std::min(whole.size(), kLargestMessage)));
  }
  return result;
}

bool are_on_one_host(MPI_Comm comm) {
  int size = 0, local_size = 0;
  MPI_Comm host = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host),
            "MPI_Comm_split_type");
  check_mpi(MPI_Comm_size(host, &local_size), "MPI_Comm_size");
  check_mpi(MPI_Comm_free(&host), "MPI_Comm_free");
  check_mpi(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  int all = local_size == size, everywhere = 0;
  check_mpi(MPI_Allreduce(&all, &everywhere, 1, MPI_INT, MPI_MIN, comm), "MPI_Allreduce");
  return everywhere != 0;
}

// A page without room in /dev/shm would be a SIGBUS later: it is allocated here.
int make_file(const char* name, std::size_t bytes) {
  const int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (file < 0 || posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0) return file;
  close(file);
  shm_unlink(name);
  return -1;
}

std::byte* map_file(int file, std::size_t bytes) {
  if (file < 0) return nullptr;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

/// Memory that the processes of one host share: zeros, the same on all ranks of the communicator;
/// null on all if they are not on one host, or its /dev/shm is full or not shared (rank 0 logs a
/// warning). A collective. It has no name left when this returns, so nothing stays behind when the
/// processes end, however they end.
std::shared_ptr<std::byte> share_memory(MPI_Comm comm, std::size_t bytes) {
  if (!are_on_one_host(comm)) return nullptr;
  int rank = 0;
  check_mpi(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  static int count = 0;
  char name[64] = "";
  std::byte* memory = nullptr;
  if (rank == 0) {
    std::snprintf(name, sizeof(name), "/stc-%d-%d", static_cast<int>(getpid()), count++);
    memory = map_file(make_file(name, bytes), bytes);
  }
  check_mpi(MPI_Bcast(name, sizeof(name), MPI_CHAR, 0, comm), "MPI_Bcast");
  if (rank != 0) memory = map_file(shm_open(name, O_RDWR, 0600), bytes);
  int mapped = memory != nullptr, everywhere = 0;
  check_mpi(MPI_Allreduce(&mapped, &everywhere, 1, MPI_INT, MPI_MIN, comm), "MPI_Allreduce");
  if (rank == 0) shm_unlink(name);
  const auto unmap = [bytes](std::byte* whole) {
    if (whole != nullptr) munmap(whole, bytes);
  };
  std::shared_ptr<std::byte> shared(memory, unmap);
  if (everywhere != 0) return shared;
  if (rank == 0) {
    log::warning(
        "the ranks of this host cannot share {} MiB of /dev/shm (it is full, or not the same in "
        "all containers); gradients travel as MPI messages, which is slower",
        bytes >> 20);
  }
  return nullptr;
}

class MpiTransport : public Transport {
 public:
  explicit MpiTransport(std::chrono::milliseconds timeout) : timeout_(timeout) {
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &comm_), "MPI_Comm_dup");
    check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
    auto memory = share_memory(comm_, SharedReduction::memory_bytes(size_));
    if (!memory) return;
    shared_ = std::make_unique<SharedReduction>(
        std::move(memory), rank_, size_, [this](double seconds) { check_waiting(seconds); });
  }

  // After a failure requests may still be in flight: the communicator then stays until the process
  // ends.
  ~MpiTransport() override {
    if (!failed_) MPI_Comm_free(&comm_);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void exchange(const std::vector<ConstBytes>& send, const std::vector<Bytes>& receive) override {
    std::vector<MPI_Request> requests;
    for (int peer = 0; peer < size_; ++peer) {
      if (peer == rank_) continue;
      for (const Bytes piece : pieces(receive[peer])) {
        const auto bytes = static_cast<int>(piece.size());
        auto* request = &requests.emplace_back();
        check_mpi(MPI_Irecv(piece.data(), bytes, MPI_BYTE, peer, 0, comm_, request), "MPI_Irecv");
      }
    }
    for (int step = 1; step < size_; ++step) {
      const int peer = (rank_ + step) % size_;  // not all at the same rank first
      for (const ConstBytes piece : pieces(send[peer])) {
        const auto bytes = static_cast<int>(piece.size());
        auto* request = &requests.emplace_back();
        check_mpi(MPI_Isend(piece.data(), bytes, MPI_BYTE, peer, 0, comm_, request), "MPI_Isend");
      }
    }
    if (!receive[rank_].empty() && receive[rank_].data() != send[rank_].data()) {
      std::memcpy(receive[rank_].data(), send[rank_].data(), receive[rank_].size());
    }
    wait(requests);
  }

  void broadcast(Bytes data, int root) override {
    for (const Bytes piece : pieces(data)) {
      std::vector<MPI_Request> requests(1);
      const auto bytes = static_cast<int>(piece.size());
      auto* request = requests.data();
      check_mpi(MPI_Ibcast(piece.data(), bytes, MPI_BYTE, root, comm_, request), "MPI_Ibcast");
      wait(requests);
    }
  }

  void barrier() override {
    std::vector<MPI_Request> requests(1);
    check_mpi(MPI_Ibarrier(comm_, &requests[0]), "MPI_Ibarrier");
    wait(requests);
  }

  void set_timeout(std::chrono::milliseconds timeout) override { timeout_ = timeout; }
  void cancel() override {
    cancelled_ = true;
    if (shared_) shared_->leave();
  }

  SharedReduction* shared_reduction() override { return shared_.get(); }

 private:
  void check_waiting(double seconds) const {
    STC_CHECK_AS(Exit::kLostRank, !cancelled_, "cancelled while it waited for other ranks");
    const double limit_seconds = std::chrono::duration<double>(timeout_.load()).count();
    STC_CHECK_AS(
        Exit::kLostRank,
        seconds < limit_seconds,
        "not complete after {} s. Another rank hangs or was lost; look for the earliest error",
        limit_seconds);
  }

  void wait(std::vector<MPI_Request>& requests) {
    const Stopwatch clock;
    const auto count = static_cast<int>(requests.size());
    auto sleep = std::chrono::microseconds(20);
    failed_ = true;
    for (;;) {
      int done = 0;
      check_mpi(MPI_Testall(count, requests.data(), &done, MPI_STATUSES_IGNORE), "MPI_Testall");
      if (done) break;
      check_waiting(clock.seconds());
      if (clock.seconds() < kPollingSeconds) {
        sched_yield();
      } else {
        std::this_thread::sleep_for(sleep);
        sleep = std::min(2 * sleep, kLongestSleep);
      }
    }
    failed_ = false;
  }

  std::atomic<std::chrono::milliseconds> timeout_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  bool failed_ = false;
  std::unique_ptr<SharedReduction> shared_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char words[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, words, &length);
  throw Error(Exit::kLostRank,
              text("{} failed: {} (code {}). Another rank has probably died; look for the "
                   "earliest error",
                   call,
                   std::string(words, length),
                   code));
}

std::unique_ptr<Transport> make_mpi_transport(std::chrono::milliseconds timeout) {
  return std::make_unique<MpiTransport>(timeout);
}

}  // namespace stc::dist
