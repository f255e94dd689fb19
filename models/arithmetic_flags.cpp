#include "models/arithmetic_flags.h"

#include <ATen/Context.h>

#include <cstdlib>

#include "monitoring/check.h"

namespace stc::models {
namespace {

ArithmeticFlags applied;

constexpr char kWorkspaceVariable[] = "CUBLAS_WORKSPACE_CONFIG";
constexpr char kWorkspace[] = ":4096:8";

}  // namespace

void apply_arithmetic_flags(const ArithmeticFlags& flags) {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(flags.tf32);
  context.setAllowTF32CuBLAS(flags.tf32);
  context.setDeterministicAlgorithms(flags.deterministic, /*warn_only=*/false);
  // Nothing here reads memory that it has not written, so filling it would only cost time.
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(flags.deterministic);
  // The fastest algorithm is another one from run to run.
  context.setBenchmarkCuDNN(flags.autotune && !flags.deterministic);
  applied = flags;
}

ScopedArithmeticFlags::ScopedArithmeticFlags(const ArithmeticFlags& flags) : before_(applied) {
  apply_arithmetic_flags(flags);
}

ScopedArithmeticFlags::~ScopedArithmeticFlags() { apply_arithmetic_flags(before_); }

void fix_cublas_workspace() {
  // NOLINTBEGIN(concurrency-mt-unsafe): before other threads compute
  ::setenv(kWorkspaceVariable, kWorkspace, /*overwrite=*/0);
  const std::string set = std::getenv(kWorkspaceVariable);
  // NOLINTEND(concurrency-mt-unsafe)
  STC_CHECK_USAGE(
      set == kWorkspace,
      "run.deterministic is true, but the environment sets {} to '{}'; unset it, or set "
      "it to {}",
      kWorkspaceVariable,
      set,
      kWorkspace);
}

std::optional<std::string> unrepeatable_operator(const std::string& error) {
  const auto end = error.find(" does not have a deterministic implementation");
  if (end == std::string::npos) return std::nullopt;
  const auto line = error.rfind('\n', end);  // npos + 1 is 0
  return error.substr(line + 1, end - (line + 1));
}

}  // namespace stc::models
