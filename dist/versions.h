// What stands behind dist in this build and on this host, for `stc doctor`.
#pragma once

#include <string>
#include <vector>

namespace stc::dist {

std::string mpi_version();   ///< "Open MPI v4.1.4"; MPI need not be started
std::string nccl_version();  ///< "2.29.7"; empty in a build without CUDA

/// "NVIDIA H100 80GB HBM3, 79 GiB, sm_90" for each GPU that this process may use; none in a build
/// without CUDA.
std::vector<std::string> gpus();

}  // namespace stc::dist
