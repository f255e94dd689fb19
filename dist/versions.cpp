#include "dist/versions.h"

#include <mpi.h>

namespace stc::dist {

std::string mpi_version() {
  char words[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(words, &length);
  const std::string all(words, length);
  return all.substr(0, all.find(','));
}

#ifndef STC_CUDA
std::string nccl_version() { return ""; }
std::string nccl_header_version() { return ""; }
std::vector<Gpu> gpus() { return {}; }
#endif

}  // namespace stc::dist
