// Prometheus metrics of one rank (prefix stc_), served over HTTP. No prometheus-cpp in this header.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace stc::monitoring {

struct MetricsOptions {
  int port = 0;  ///< 0: any free one; -1: off (every call is then free)
  std::string address = "127.0.0.1";
  int rank = 0;
  std::string node = {};
  std::string user = {}, password = {};  ///< both empty: served to anyone who reaches the port
};

/// Every call may come from any thread; a scrape sees all of it or none. What it costs is in
/// stc_metrics_seconds_total.
class Metrics {
 public:
  /// When the port is taken, a free one is used, with a warning; when there is none, nothing is
  /// served, with a warning. Throws stc::Error (kUsage) only for an address other than the default
  /// on which no port can be opened.
  explicit Metrics(const MetricsOptions& options);
  ~Metrics();
  int port() const;  ///< as bound; -1 when off

  void info(const std::map<std::string, std::string>& labels);  ///< stc_run_info
  void restarts(double count);                                  ///< stc_restarts_total

  /// One training step. samples and the *_total ones are totals of this rank so far, the rest is of
  /// this step.
  struct Step {
    double step = 0, samples = 0, learning_rate = 0, gradient_norm = 0, seconds = 0,
           data_wait_seconds = 0, first_collective_seconds = 0;
    double collective_bytes_total = 0, collective_seconds_total = 0, corrupt_samples_total = 0,
           ready_batches = 0;
    std::map<std::string, double> losses;  ///< stc_loss{loss=}
    std::map<std::string, double> health;  ///< by name: stc_accuracy, stc_selected_fraction, ...
  };
  void record(const Step& step);
  void skipped_step();               ///< stc_skipped_steps_total
  void arrival_lag(double seconds);  ///< stc_collective_arrival_lag_seconds
  /// How fast steps were since the last call: stc_images_per_second, stc_flops_per_second, and
  /// stc_mfu if the GPU's peak is known.
  void throughput(double images_per_second,
                  double operations_per_second,
                  std::optional<double> utilization);
  struct DeviceMemory {
    double allocated = 0, reserved = 0;  ///< bytes, now
    double peak = 0;                     ///< bytes, the most that was allocated so far
  };
  void device_memory(const DeviceMemory& bytes);  ///< stc_device_*_bytes

  /// On the rank that saves: starts the checkpoint series, with nothing saved yet.
  void begin_checkpoints();
  struct Checkpoint {
    double step = 0, seconds = 0, bytes = 0;
  };
  /// One that is complete: stc_checkpoint_step, _timestamp_seconds, _seconds, _bytes.
  void checkpoint(const Checkpoint& written);
  void checkpoint_failed();               ///< stc_checkpoint_failures_total
  void checkpoint_stall(double seconds);  ///< stc_checkpoint_stall_seconds

  struct Probe {
    double step = 0, j = 0, f = 0;  ///< j and f in 0..1
  };
  /// stc_probe_step, stc_probe_j, stc_probe_f, stc_probe_jf.
  void probe(const Probe& result);

 private:
  struct State;
  class Update;
  std::unique_ptr<State> state_;
};

}  // namespace stc::monitoring
