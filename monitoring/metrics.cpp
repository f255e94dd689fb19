#include "monitoring/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <exception>

#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::monitoring {
namespace {

using prometheus::Counter;
using prometheus::Exposer;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;

const Histogram::BucketBoundaries kSeconds{
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200};

// One thread: only a scraper asks, every few seconds, and its work is taken from the run's cores.
std::unique_ptr<Exposer> listen(const std::string& address, int port) {
  return std::make_unique<Exposer>(text(address, ":", port), 1);
}

std::unique_ptr<Exposer> listen_on_any_port(const std::string& address) {
  try {
    return listen(address, 0);
  } catch (const std::exception&) {
    throw Error(Exit::kUsage,
                text("metrics cannot listen on address ",
                     address,
                     ": no port of it can be had; use 127.0.0.1, an address of this host, or turn "
                     "metrics off"));
  }
}

std::unique_ptr<Exposer> listen_on_port_or_another(const std::string& address, int port) {
  if (port == 0) return listen_on_any_port(address);
  try {
    return listen(address, port);
  } catch (const std::exception&) {
    auto other = listen_on_any_port(address);
    log::warning(text(
        "metrics port ", port, " is taken; port ", other->GetListeningPorts().front(), " is used"));
    return other;
  }
}

void raise_to(Counter& counter, double total) {
  counter.Increment(std::max(0.0, total - counter.Value()));
}

}  // namespace

struct Metrics::State {
  State(const MetricsOptions& options)
      : labels{{"rank", std::to_string(options.rank)}, {"node", options.node}},
        exposer(listen_on_port_or_another(options.address, options.port)) {
    exposer->RegisterCollectable(registry);
  }

  Gauge& gauge(const std::string& name, const std::string& help, const Labels& more = {}) {
    return prometheus::BuildGauge().Name(name).Help(help).Labels(labels).Register(*registry).Add(
        more);
  }
  Counter& counter(const std::string& name, const std::string& help) {
    return prometheus::BuildCounter().Name(name).Help(help).Labels(labels).Register(*registry).Add(
        {});
  }
  Histogram& histogram(const std::string& name, const std::string& help) {
    return prometheus::BuildHistogram()
        .Name(name)
        .Help(help)
        .Labels(labels)
        .Register(*registry)
        .Add({}, kSeconds);
  }

  Labels labels;
  std::shared_ptr<Registry> registry = std::make_shared<Registry>();
  std::unique_ptr<Exposer> exposer;

  Gauge& step = gauge("stc_step", "Training steps done.");
  Counter& samples = counter("stc_samples_total", "Samples this rank trained on.");
  Gauge& learning_rate = gauge("stc_learning_rate", "Learning rate of the last step.");
  Gauge& gradient_norm =
      gauge("stc_gradient_norm", "Norm of the reduced gradient of the last step.");
  Histogram& step_seconds =
      histogram("stc_step_seconds", "Time of a training step, its wait for data included.");
  Counter& data_wait_seconds =
      counter("stc_data_wait_seconds_total", "Time that steps waited for the loader.");
  Counter& collective_bytes =
      counter("stc_collective_bytes_total", "Payload this rank handed to collectives.");
  Counter& corrupt_samples =
      counter("stc_corrupt_samples_total", "Samples that could not be read and were replaced.");
  Gauge& arrival_lag =
      gauge("stc_collective_arrival_lag_seconds",
            "Time by which this rank came to a step's first collective after the first rank.");
  Histogram& checkpoint_seconds =
      histogram("stc_checkpoint_seconds", "Time to write a checkpoint, while training goes on.");
  Histogram& checkpoint_stall_seconds =
      histogram("stc_checkpoint_stall_seconds", "Time for which a save held up training.");
  Gauge& checkpoint_step = gauge("stc_checkpoint_step", "Step of the newest whole checkpoint.");
  Gauge& checkpoint_bytes = gauge("stc_checkpoint_bytes", "Size of the newest whole checkpoint.");
  Counter& checkpoint_failures =
      counter("stc_checkpoint_failures_total", "Saves that failed; the run went on without.");
};

Metrics::Metrics(const MetricsOptions& options)
    : state_(options.port < 0 ? nullptr : std::make_unique<State>(options)) {}
Metrics::~Metrics() = default;

int Metrics::port() const { return state_ ? state_->exposer->GetListeningPorts().front() : -1; }

void Metrics::info(const std::map<std::string, std::string>& labels) {
  if (!state_) return;
  state_->gauge("stc_run_info", "Facts about this run, as labels; always 1.", labels).Set(1);
}

void Metrics::record(const Step& step) {
  if (!state_) return;
  state_->step.Set(step.step);
  for (const auto& [name, value] : step.losses) {
    state_->gauge("stc_loss", "Loss of the last step.", {{"loss", name}}).Set(value);
  }
  state_->learning_rate.Set(step.learning_rate);
  state_->gradient_norm.Set(step.gradient_norm);
  state_->step_seconds.Observe(step.seconds);
  state_->data_wait_seconds.Increment(step.data_wait_seconds);
  raise_to(state_->samples, step.samples);
  raise_to(state_->collective_bytes, step.collective_bytes_total);
  raise_to(state_->corrupt_samples, step.corrupt_samples_total);
}

void Metrics::arrival_lag(double seconds) {
  if (!state_) return;
  state_->arrival_lag.Set(seconds);
}

void Metrics::checkpoint(const Checkpoint& written) {
  if (!state_) return;
  state_->checkpoint_step.Set(written.step);
  state_->checkpoint_seconds.Observe(written.seconds);
  state_->checkpoint_bytes.Set(written.bytes);
}

void Metrics::probe(const Probe& result) {
  if (!state_) return;
  const auto set = [&](const char* name, const char* help, double value) {
    state_->gauge(name, help).Set(value);
  };
  set("stc_probe_step", "Step of the newest evaluation of the probe.", result.step);
  set("stc_probe_j", "Mean J of the probe, 0 to 1.", result.j);
  set("stc_probe_f", "Mean F of the probe, 0 to 1.", result.f);
  set("stc_probe_jf", "Mean of J and F of the probe, 0 to 1.", (result.j + result.f) / 2);
}

void Metrics::checkpoint_failed() {
  if (!state_) return;
  state_->checkpoint_failures.Increment();
}

void Metrics::checkpoint_stall(double seconds) {
  if (!state_) return;
  state_->checkpoint_stall_seconds.Observe(seconds);
}

}  // namespace stc::monitoring
