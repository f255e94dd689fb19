#include "dist/shared_memory.h"

#include <fcntl.h>
#include <mpi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "dist/mpi_call.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::dist {
namespace {

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

}  // namespace

std::shared_ptr<std::byte> share_memory(int communicator, std::size_t bytes) {
  const MPI_Comm comm = MPI_Comm_f2c(communicator);
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
        "all "
        "containers); gradients travel as MPI messages, which is slower",
        bytes >> 20);
  }
  return nullptr;
}

}  // namespace stc::dist
