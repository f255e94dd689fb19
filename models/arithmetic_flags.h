// ATen's switches for how a whole process computes: all of them are set here, and nowhere else.
#pragma once

#include <optional>
#include <string>

namespace stc::models {

/// ATen's own defaults differ: cuDNN rounds to TF32 unless it is forbidden.
struct ArithmeticFlags {
  /// On a GPU, float32 convolutions and products round their factors to TF32's 10 bits of mantissa.
  bool tf32 = false;
  /// On one and the same GPU every run gives the same bits; an operator that cannot throws
  /// (unrepeatable_operator() reads its error).
  bool deterministic = false;
  /// cuDNN tries its algorithms whenever a convolution has a new shape, and keeps the fastest.
  bool autotune = false;
};

/// For all threads of the process; between computations.
void apply_arithmetic_flags(const ArithmeticFlags& flags);

/// `flags` as long as it lives, then those that were applied before.
class ScopedArithmeticFlags {
 public:
  explicit ScopedArithmeticFlags(const ArithmeticFlags& flags);
  ~ScopedArithmeticFlags();
  ScopedArithmeticFlags(const ScopedArithmeticFlags&) = delete;

 private:
  const ArithmeticFlags before_;
};

/// cuBLAS gives the same bits in every run only with a workspace of fixed size, which it reads from
/// the environment: called before CUDA starts, this sets it. Throws stc::Error (kUsage) if the
/// environment asks for another one.
void fix_cublas_workspace();

/// The operator that an error of ATen names for having no deterministic form, or nothing if it is
/// another error.
std::optional<std::string> unrepeatable_operator(const std::string& error);

}  // namespace stc::models
