// A run's metrics: where each rank serves them, by configuration, and where Prometheus finds them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

#include "dist/communicator.h"
#include "launcher/training/throughput.h"
#include "launcher/training/train_options.h"
#include "monitoring/metrics.h"

namespace stc::launcher {

/// The variable by which `stc launch` tells its ranks how often they were restarted.
constexpr const char* kRestartsVariable = "STC_RESTARTS";

/// Throws stc::Error (kUsage) if the password's file cannot be read.
monitoring::MetricsOptions metrics_options(const TrainOptions& options,
                                           const dist::Communicator& control);

/// The host part under which others reach what listens on `address` of `node`.
std::string reachable_host(const std::string& address, const std::string& node);

/// The content of a run's file_sd.json: one entry with the targets of all ranks. Collective; empty
/// if metrics are off.
std::string service_discovery(const TrainOptions& options,
                              dist::Communicator& control,
                              int own_port);

/// stc_device_allocated_bytes, stc_device_reserved_bytes and, from `peak`,
/// stc_device_memory_peak_bytes, if `device` is not the CPU.
void record_device_memory(at::Device device,
                          std::optional<std::int64_t> peak,
                          monitoring::Metrics* metrics);

/// stc_images_per_second, stc_flops_per_second and stc_mfu; nothing if there is nothing.
void record_throughput(const std::optional<Throughput>& seen, monitoring::Metrics* metrics);

}  // namespace stc::launcher
