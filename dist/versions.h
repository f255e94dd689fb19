// What stands behind dist in this build, for `stc doctor`.
#pragma once

#include <string>

namespace stc::dist {

std::string mpi_version();   ///< "Open MPI v4.1.4, ...", MPI need not be started
std::string nccl_version();  ///< "2.29.7"; empty in a build without CUDA

}  // namespace stc::dist
