// The libraries and GPUs behind dist in this build and on this host, for `stc doctor`.
#pragma once

#include <string>
#include <vector>

namespace stc::dist {

std::string mpi_version();   ///< "Open MPI v4.1.4"; MPI need not be started
std::string nccl_version();  ///< of the library loaded: "2.29.7"; empty in a build without CUDA
std::string nccl_header_version();  ///< that this build was compiled against; as above

struct Gpu {
  std::string name;         ///< "NVIDIA H100 80GB HBM3, 79 GiB, sm_90"
  std::string pci_address;  ///< "0000:3b:00.0", as sysfs writes it
  std::vector<int> peers;   ///< the GPUs whose memory it reaches without the host
};

/// Those that this process may use; none in a build without CUDA.
std::vector<Gpu> gpus();

}  // namespace stc::dist
