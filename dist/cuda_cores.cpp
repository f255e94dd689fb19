#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>

#include "dist/cores.h"

namespace stc::dist {

std::string cores_near_gpu(int index) {
  std::array<char, 32> name{};  // "0000:3B:00.0"; sysfs writes it in lower case
  if (cudaDeviceGetPCIBusId(name.data(), name.size(), index) != cudaSuccess) return "";
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  std::ifstream file(std::string("/sys/bus/pci/devices/") + name.data() + "/local_cpulist");
  std::string list;
  std::getline(file, list);
  return list;
}

}  // namespace stc::dist
