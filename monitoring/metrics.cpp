#include "monitoring/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <mutex>

#include "monitoring/check.h"
#include "monitoring/log.h"
#include "monitoring/metrics_server.h"
#include "monitoring/printable.h"
#include "monitoring/stopwatch.h"

namespace stc::monitoring {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;

const Histogram::BucketBoundaries kSeconds{
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200};

// What a method reports of a step beside its losses.
const std::map<std::string, std::string> kHealth{
    {"accuracy", "Share of queries whose own key came first, of the last logged step."},
    {"selected_fraction", "Share of cells that the local loss chose, of the last logged step."},
    {"local_entropy", "Mean entropy of the local map's rows, of the last logged step."},
    {"teacher_entropy", "Mean entropy of the teacher's rows, of the last logged step."}};

void raise_to(Counter& counter, double total) {
  counter.Increment(std::max(0.0, total - counter.Value()));
}

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double resident_memory_bytes() {
  double total = 0, resident = 0;  // pages
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

struct Metrics::State {
  State(const MetricsOptions& options)
      : labels{{"rank", std::to_string(options.rank)}, {"node", escaped(options.node)}},
        server(options, [this] { return page(); }) {}

  // What a scraper gets: never half of a step.
  std::string page() {
    std::unique_lock lock(mutex);
    resident_memory.Set(resident_memory_bytes());
    const auto families = registry.Collect();
    lock.unlock();
    return prometheus::TextSerializer().Serialize(families);
  }

  Gauge& gauge(const std::string& name, const std::string& help, const Labels& more = {}) {
    return prometheus::BuildGauge().Name(name).Help(help).Labels(labels).Register(registry).Add(
        more);
  }
  Counter& counter(const std::string& name, const std::string& help) {
    return prometheus::BuildCounter().Name(name).Help(help).Labels(labels).Register(registry).Add(
        {});
  }
  Histogram& histogram(const std::string& name, const std::string& help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Labels(labels).Register(registry).Add(
        {}, kSeconds);
  }

  // What only the rank that saves has.
  struct Checkpoints {
    explicit Checkpoints(State& s)
        : seconds(s.histogram("stc_checkpoint_seconds",
                              "Time to write a checkpoint, while training goes on.")),
          stall_seconds(s.histogram("stc_checkpoint_stall_seconds",
                                    "Time for which a save held up training.")),
          step(s.gauge("stc_checkpoint_step", "Step of the newest complete checkpoint.")),
          bytes(s.gauge("stc_checkpoint_bytes", "Size of the newest complete checkpoint.")),
          timestamp(
              s.gauge("stc_checkpoint_timestamp_seconds",
                      "When the newest complete checkpoint was written; before this process's "
                      "first one, when it began. What came later is lost with the run.")),
          failures(s.counter("stc_checkpoint_failures_total",
                             "Saves that failed; the run continued without them.")) {
      timestamp.Set(unix_time());
    }
    Histogram &seconds, &stall_seconds;
    Gauge &step, &bytes, &timestamp;
    Counter& failures;
  };

  Labels labels;
  std::mutex mutex;  // held by each update and by each look at all series
  Registry registry;

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
  Counter& collective_seconds =
      counter("stc_collective_seconds_total",
              "Time in which this rank had a collective under way, hidden behind work or not.");
  Counter& corrupt_samples =
      counter("stc_corrupt_samples_total", "Samples that could not be read and were replaced.");
  Gauge& arrival_lag =
      gauge("stc_collective_arrival_lag_seconds",
            "Time by which this rank came to a step's first collective after the first rank.");
  Gauge& first_collective =
      gauge("stc_first_collective_seconds",
            "Time from a step's start to this rank's first collective in it.");
  Gauge& ready_batches =
      gauge("stc_loader_ready_batches", "Batches that the loader held ready after the last step.");
  Counter& skipped_steps =
      counter("stc_skipped_steps_total",
              "Steps without an update: not finite in half precision with the loss scaled.");
  Counter& restarts =
      counter("stc_restarts_total", "Times that stc launch started this run's ranks again.");
  Counter& metrics_seconds =
      counter("stc_metrics_seconds_total", "Time spent in updating these metrics.");
  Gauge& resident_memory =
      gauge("stc_resident_memory_bytes", "Host memory that this process holds.");
  std::unique_ptr<Checkpoints> checkpoints;
  MetricsServer server;  // last, since it asks for the others as soon as it is there
};

// One update: all of it is in a scraper's page or none, and its time is counted.
class Metrics::Update {
 public:
  explicit Update(State& state) : state_(state), lock_(state.mutex) {}
  ~Update() { state_.metrics_seconds.Increment(clock_.seconds()); }
  Update(const Update&) = delete;

 private:
  State& state_;
  const Stopwatch clock_;
  const std::lock_guard<std::mutex> lock_;
};

Metrics::Metrics(const MetricsOptions& options) {
  if (options.port < 0) return;
  try {
    state_ = std::make_unique<State>(options);
  } catch (const Error& cause) {
    if (options.address != MetricsOptions{}.address) throw;
    log::warning("no metrics of rank {} are served, the run continues without them: {}",
                 options.rank,
                 cause.what());
  }
}
Metrics::~Metrics() = default;

int Metrics::port() const { return state_ ? state_->server.port() : -1; }

void Metrics::info(const std::map<std::string, std::string>& labels) {
  if (!state_) return;
  const Update update(*state_);
  std::map<std::string, std::string> valid;  // one label that is not UTF-8 fails a whole scrape
  for (const auto& [name, value] : labels) valid[name] = escaped(value);
  state_->gauge("stc_run_info", "Facts about this run, as labels; always 1.", valid).Set(1);
}

void Metrics::restarts(double count) {
  if (!state_) return;
  const Update update(*state_);
  raise_to(state_->restarts, count);
}

void Metrics::record(const Step& step) {
  if (!state_) return;
  const Update update(*state_);
  state_->step.Set(step.step);
  for (const auto& [name, value] : step.losses) {
    state_->gauge("stc_loss", "Loss of the last logged step.", {{"loss", name}}).Set(value);
  }
  for (const auto& [name, value] : step.health) {
    const auto help = kHealth.find(name);
    if (help != kHealth.end()) state_->gauge("stc_" + name, help->second).Set(value);
  }
  state_->learning_rate.Set(step.learning_rate);
  state_->gradient_norm.Set(step.gradient_norm);
  state_->step_seconds.Observe(step.seconds);
  state_->data_wait_seconds.Increment(step.data_wait_seconds);
  state_->first_collective.Set(step.first_collective_seconds);
  state_->ready_batches.Set(step.ready_batches);
  raise_to(state_->samples, step.samples);
  raise_to(state_->collective_bytes, step.collective_bytes_total);
  raise_to(state_->collective_seconds, step.collective_seconds_total);
  raise_to(state_->corrupt_samples, step.corrupt_samples_total);
}

void Metrics::skipped_step() {
  if (!state_) return;
  const Update update(*state_);
  state_->skipped_steps.Increment();
}

void Metrics::arrival_lag(double seconds) {
  if (!state_) return;
  const Update update(*state_);
  state_->arrival_lag.Set(seconds);
}

void Metrics::throughput(double images_per_second,
                         double operations_per_second,
                         std::optional<double> utilization) {
  if (!state_) return;
  const Update update(*state_);
  state_
      ->gauge("stc_images_per_second",
              "Images (step 1) or frames (step 2) per second of this rank, over the last logged "
              "steps.")
      .Set(images_per_second);
  state_
      ->gauge("stc_flops_per_second",
              "Floating-point operations per second of this rank's convolutions and matrix "
              "products, over the last logged steps.")
      .Set(operations_per_second);
  if (!utilization) return;
  state_
      ->gauge("stc_mfu",
              "Model FLOPs utilization: stc_flops_per_second as a share of the GPU's dense peak.")
      .Set(*utilization);
}

void Metrics::device_memory(const DeviceMemory& bytes) {
  if (!state_) return;
  const Update update(*state_);
  state_->gauge("stc_device_allocated_bytes", "Device memory in use by tensors.")
      .Set(bytes.allocated);
  state_->gauge("stc_device_reserved_bytes", "Device memory that this process holds for tensors.")
      .Set(bytes.reserved);
  state_
      ->gauge("stc_device_memory_peak_bytes",
              "The most device memory in use by tensors since this process began to train.")
      .Set(bytes.peak);
}

void Metrics::begin_checkpoints() {
  if (!state_) return;
  const Update update(*state_);
  state_->checkpoints = std::make_unique<State::Checkpoints>(*state_);
}

void Metrics::checkpoint(const Checkpoint& written) {
  if (!state_ || !state_->checkpoints) return;
  const Update update(*state_);
  auto& checkpoints = *state_->checkpoints;
  checkpoints.step.Set(written.step);
  checkpoints.seconds.Observe(written.seconds);
  checkpoints.bytes.Set(written.bytes);
  checkpoints.timestamp.Set(unix_time());
}

void Metrics::checkpoint_failed() {
  if (!state_ || !state_->checkpoints) return;
  const Update update(*state_);
  state_->checkpoints->failures.Increment();
}

void Metrics::checkpoint_stall(double seconds) {
  if (!state_ || !state_->checkpoints) return;
  const Update update(*state_);
  state_->checkpoints->stall_seconds.Observe(seconds);
}

void Metrics::probe(const Probe& result) {
  if (!state_) return;
  const Update update(*state_);
  const auto set = [&](const char* name, const char* help, double value) {
    state_->gauge(name, help).Set(value);
  };
  set("stc_probe_step", "Step of the newest evaluation of the probe.", result.step);
  set("stc_probe_j", "Mean J of the probe, 0 to 1.", result.j);
  set("stc_probe_f", "Mean F of the probe, 0 to 1.", result.f);
  set("stc_probe_jf", "Mean of J and F of the probe, 0 to 1.", (result.j + result.f) / 2);
}

}  // namespace stc::monitoring
