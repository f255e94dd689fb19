#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <nccl.h>

#include <cctype>

#include "dist/versions.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

std::string dotted(int code) {
  return text("{}.{}.{}", code / 10000, code / 100 % 100, code % 100);
}

std::string pci_address(int gpu) {
  char address[16] = "";
  C10_CUDA_CHECK(cudaDeviceGetPCIBusId(address, sizeof(address), gpu));
  std::string lower = address;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::vector<int> peers_of(int gpu, int gpus) {
  std::vector<int> peers;
  for (int other = 0; other < gpus; ++other) {
    int reaches = 0;
    if (other != gpu) C10_CUDA_CHECK(cudaDeviceCanAccessPeer(&reaches, gpu, other));
    if (reaches != 0) peers.push_back(other);
  }
  return peers;
}

}  // namespace

std::string nccl_version() {
  int code = 0;
  STC_CHECK(ncclGetVersion(&code) == ncclSuccess, "ncclGetVersion failed");
  return dotted(code);
}

std::string nccl_header_version() { return dotted(NCCL_VERSION_CODE); }

std::vector<Gpu> gpus() {
  std::vector<Gpu> result;
  const auto count = static_cast<int>(c10::cuda::device_count());
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp gpu{};
    C10_CUDA_CHECK(cudaGetDeviceProperties(&gpu, i));
    const std::string name =
        text("{}, {} GiB, sm_{}{}", gpu.name, gpu.totalGlobalMem >> 30, gpu.major, gpu.minor);
    result.push_back({name, pci_address(i), peers_of(i, count)});
  }
  return result;
}

}  // namespace stc::dist
