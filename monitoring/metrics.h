// Prometheus metrics of one rank (prefix stc_), served over HTTP. No prometheus-cpp in this header.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace stc::monitoring {

struct MetricsOptions {
  int port = 0;  ///< 0: any free one; -1: off (every call is then free)
  std::string address = "127.0.0.1";
  int rank = 0;
  std::string node;
};

class Metrics {
 public:
  explicit Metrics(
      const MetricsOptions& options);  ///< a taken port is a warning and another free one is used
  ~Metrics();
  int port() const;  ///< as bound; -1 when off

  void info(const std::map<std::string, std::string>& labels);  ///< stc_run_info
  /// One training step: stc_step, stc_loss{loss=}, stc_samples_total, stc_learning_rate,
  /// stc_gradient_norm, stc_step_seconds, stc_data_wait_seconds_total, stc_collective_bytes_total,
  /// stc_corrupt_samples_total. samples and the *_total ones are totals of this rank so far, the
  /// rest is of this step.
  struct Step {
    double step = 0, samples = 0, learning_rate = 0, gradient_norm = 0, seconds = 0,
           data_wait_seconds = 0;
    double collective_bytes_total = 0, corrupt_samples_total = 0;
    std::map<std::string, double> losses;
  };
  void record(const Step& step);
  void arrival_lag(double seconds);  ///< stc_collective_arrival_lag_seconds

  struct Checkpoint {
    double step = 0, seconds = 0, bytes = 0;
  };
  /// One that is whole: stc_checkpoint_step, stc_checkpoint_seconds, stc_checkpoint_bytes.
  void checkpoint(const Checkpoint& written);
  struct Probe {
    double step = 0, j = 0, f = 0;  ///< j and f in 0..1
  };
  /// stc_probe_step, stc_probe_j, stc_probe_f, stc_probe_jf.
  void probe(const Probe& result);

  void checkpoint_failed();               ///< stc_checkpoint_failures_total
  void checkpoint_stall(double seconds);  ///< stc_checkpoint_stall_seconds

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stc::monitoring
