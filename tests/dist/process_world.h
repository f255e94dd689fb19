// The world of this process, for tests that mpirun starts. main() in mpi_test.cpp owns it: MPI
// starts and ends once in a process.
#pragma once

#include "dist/communicator.h"

namespace stc::dist {

extern Session* session;
extern Communicator* world;  ///< over Open MPI, on the CPU

}  // namespace stc::dist
