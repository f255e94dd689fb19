// What every world must do, whatever carries it: run over threads (world_test.cpp) and under mpirun
// (mpi_test.cpp).
#pragma once

#include <ostream>
#include <vector>

#include "dist/communicator.h"

namespace stc::dist {

struct WorldCheck {
  const char* name;
  void (*body)(Communicator& world);  ///< called by all ranks
};

inline void PrintTo(const WorldCheck& check, std::ostream* out) { *out << check.name; }

std::vector<WorldCheck> collective_checks();
std::vector<WorldCheck> gradient_checks();

}  // namespace stc::dist
