#include "launcher/training/run_metrics.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Device.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "dist/run_together.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

std::string read_password(const std::string& file) {
  std::ifstream in(file);
  STC_CHECK_USAGE(in, "metrics.password_file: {}: {}", file, std::strerror(errno));
  std::string password;
  std::getline(in, password);
  STC_CHECK_USAGE(!password.empty(),
                  "metrics.password_file: {}: its first line is empty; expected the password",
                  file);
  return password;
}

}  // namespace

monitoring::MetricsOptions metrics_options(const TrainOptions& options,
                                           const dist::Communicator& control) {
  monitoring::MetricsOptions metrics;
  metrics.port = options.metrics_port;
  metrics.address = options.metrics_address;
  metrics.rank = control.rank();
  metrics.node = control.host();
  if (metrics.port < 0 || options.metrics_user.empty()) return metrics;
  metrics.user = options.metrics_user;
  metrics.password = read_password(options.metrics_password_file);
  return metrics;
}

std::string reachable_host(const std::string& address, const std::string& node) {
  return address == "0.0.0.0" || address == "[::]" ? node : address;
}

std::string service_discovery(const TrainOptions& options,
                              dist::Communicator& control,
                              int own_port) {
  const auto host = reachable_host(options.metrics_address, control.host());
  const auto own = own_port < 0 ? "" : text("{}:{}", host, own_port);
  auto targets = dist::gather_lines(control, own);
  std::erase(targets, "");
  if (targets.empty()) return "";
  if (control.is_root() && control.local_size() < control.size() &&
      options.metrics_address.starts_with("127.")) {
    log::warning(
        "metrics.address is {} on every node: no other node's metrics can be reached from one; "
        "give 0.0.0.0 if Prometheus is to see all ranks",
        options.metrics_address);
  }
  const nlohmann::json entry = {{"targets", targets}, {"labels", {{"run", options.run_dir}}}};
  return json_text(nlohmann::json::array({entry}), 1) + "\n";
}

void record_device_memory(at::Device device,
                          std::optional<std::int64_t> peak,
                          monitoring::Metrics* metrics) {
  const auto type = device.type();
  if (type == c10::DeviceType::CPU) return;
  const auto index = c10::impl::VirtualGuardImpl(type).getDevice().index();
  const auto stats = c10::getDeviceAllocator(type)->getDeviceStats(index);
  const auto whole = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  metrics->device_memory({static_cast<double>(stats.allocated_bytes[whole].current),
                          static_cast<double>(stats.reserved_bytes[whole].current),
                          static_cast<double>(peak.value_or(0))});
}

void record_throughput(const std::optional<Throughput>& seen, monitoring::Metrics* metrics) {
  if (!seen) return;
  metrics->throughput(seen->images_per_second, seen->operations_per_second, seen->utilization);
}

}  // namespace stc::launcher
