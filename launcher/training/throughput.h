// How fast steps are, from what a step is and how long it takes: images and operations per second,
// and the share of the processor's peak.
#pragma once

#include <c10/core/Device.h>

#include <optional>
#include <string>

#include "launcher/training/operation_count.h"

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

/// Of the GPU `device`, by its name; nothing for the CPU.
std::optional<double> peak_operations_per_second(c10::Device device, const std::string& precision);

/// The throughput of several steps together.
class ThroughputMeter {
 public:
  explicit ThroughputMeter(std::optional<double> peak_per_second) : peak_(peak_per_second) {}

  /// One step of this rank. The first one is not counted: it warms up, and is slowed by counting
  /// operations.
  void add(double images, const std::optional<Operations>& operations, double seconds);
  /// Of the steps since the last call; nothing if there is none.
  std::optional<Throughput> take();

 private:
  const std::optional<double> peak_;
  bool warm_ = false;
  StepWork work_;
  double seconds_ = 0;
};

}  // namespace stc::launcher
