// Memory that the processes of one host share.
#pragma once

#include <cstddef>
#include <memory>

namespace stc::dist {

/// Zeros, the same on all ranks of the communicator (MPI_Comm_c2f of it, so that no header needs
/// mpi.h); null on all if they are not on one host, or its /dev/shm is full or not shared (rank 0
/// logs a warning). A collective. It has no name left when this returns, so nothing stays behind
/// when the processes end, however they end.
std::shared_ptr<std::byte> share_memory(int communicator, std::size_t bytes);

}  // namespace stc::dist
