#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <nccl.h>

#include "dist/versions.h"
#include "monitoring/check.h"

namespace stc::dist {

std::string nccl_version() {
  int code = 0;
  STC_CHECK(ncclGetVersion(&code) == ncclSuccess, "ncclGetVersion failed");
  return text(code / 10000, ".", code / 100 % 100, ".", code % 100);
}

std::vector<std::string> gpus() {
  std::vector<std::string> result;
  for (int i = 0; i < c10::cuda::device_count(); ++i) {
    cudaDeviceProp gpu{};
    C10_CUDA_CHECK(cudaGetDeviceProperties(&gpu, i));
    result.push_back(
        text(gpu.name, ", ", gpu.totalGlobalMem >> 30, " GiB, sm_", gpu.major, gpu.minor));
  }
  return result;
}

}  // namespace stc::dist
