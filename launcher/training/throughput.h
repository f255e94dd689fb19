// How fast steps are, from what a step is and how long it takes: images and operations per second,
// and the share of the processor's peak. Pure functions.
#pragma once

#include <optional>
#include <string>

namespace stc::launcher {

/// Of one rank.
struct StepWork {
  double images = 0;
  double floating_point_operations = 0;
  std::optional<double> peak_per_second{};  ///< operations that the processor can do
};

struct Throughput {
  double images_per_second = 0;
  double operations_per_second = 0;     ///< floating-point
  std::optional<double> utilization{};  ///< of the peak: the model FLOPs utilization (MFU)
};

/// `seconds` > 0: of one step.
Throughput throughput(const StepWork& work, double seconds);

/// Floating-point operations per second of a GPU's dense matrix units at a run.precision, as its
/// maker publishes them; `gpu`: its name, as the driver reports it. Nothing for a GPU that the
/// table does not have, for the CPU, and for a number format that the GPU does not have.
std::optional<double> peak_operations_per_second(const std::string& gpu,
                                                 const std::string& precision);

}  // namespace stc::launcher
