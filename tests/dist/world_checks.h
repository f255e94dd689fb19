// What every world must do, whatever carries it: run over threads (world_test.cpp), under mpirun
// (mpi_test.cpp) and over NCCL (nccl_test.cpp).
#pragma once

#include <c10/core/Device.h>

#include <ostream>
#include <vector>

#include "dist/communicator.h"

namespace stc::dist {

enum class Promise {
  kOfEveryWorld,
  kOfHostWorlds,  ///< the order of a sum, its rounding, NaN, the words of an error
};

struct WorldCheck {
  const char* name;
  void (*body)(Communicator& world, at::Device device);  ///< called by all ranks, tensors on device
  Promise promise = Promise::kOfEveryWorld;
};

inline void PrintTo(const WorldCheck& check, std::ostream* out) { *out << check.name; }

std::vector<WorldCheck> collective_checks();
std::vector<WorldCheck> gradient_checks();

}  // namespace stc::dist
