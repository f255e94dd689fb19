#include "launcher/training/step_recorder.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "launcher/training/run_metrics.h"
#include "launcher/training/trainer.h"
#include "launcher/version.h"
#include "monitoring/json_text.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

double number(std::int64_t count) { return static_cast<double>(count); }

}  // namespace

StepRecorder::StepRecorder(const TrainingJob& job,
                           const TrainingMethod& method,
                           const StepWatch& watch)
    : job_(job),
      method_(method),
      watch_(watch),
      metrics_(metrics_options(job.options, job.host_ranks)),
      throughput_(peak_operations_per_second(job.device, job.options.precision)) {}

void StepRecorder::start(std::int64_t first_step) {
  const auto& options = job_.options;
  metrics_.info({{"command", job_.name},
                 {"version", build_name()},
                 {"device", options.device},
                 {"precision", options.precision},
                 {"ranks", std::to_string(job_.host_ranks.size())}});
  if (const char* restarts = std::getenv(kRestartsVariable)) metrics_.restarts(std::atof(restarts));
  const auto targets = service_discovery(options, job_.host_ranks, metrics_.port());
  if (job_.folder && !targets.empty()) job_.folder->write_atomically("file_sd.json", targets);
  progress_ = std::make_unique<Progress>(
      job_.name, first_step, options.steps, options.batch_size, job_.folder != nullptr);
}

void StepRecorder::begin_step() {
  begin_ = steady_now();
  job_.collectives.begin_step();
}

StepRecorder::Begun StepRecorder::begun(double learning_rate, double data_wait_seconds) const {
  return {begin_, learning_rate, {job_.collectives.first_arrival_seconds(), data_wait_seconds}};
}

void StepRecorder::end_step(const Begun& begun, const TrainingStep::Result& result) {
  const auto& options = job_.options;
  const auto step = result.step + 1;
  // Where steps overlap, from the end of the one before.
  const double seconds = seconds_since(std::max(begun.since, end_));
  end_ = steady_now();
  if (!result.updated) record_skipped(result);
  const auto images = options.batch_size / job_.host_ranks.size() * method_.images_per_sample();
  throughput_.add(number(images), watch_.operations_per_step(), seconds);
  const bool due = step % options.log_every == 0 || step == options.steps || step == 1;
  const Means means = due ? mean_over_ranks(result) : Means{};
  if (due) {
    record_arrival(job_.device.is_cpu() ? begun.arrival : arrival_on_device(begun), seconds);
    record_device_memory(job_.device, watch_.memory_peak(), &metrics_);
    record_throughput(throughput_.take(), &metrics_);
  }
  const Step done{.step = number(step),
                  .samples = number(step * options.batch_size / job_.host_ranks.size()),
                  .learning_rate = begun.learning_rate,
                  .gradient_norm = result.gradient_norm,
                  .seconds = seconds,
                  .data_wait_seconds = begun.arrival.data_wait_seconds,
                  .first_collective_seconds = begun.arrival.seconds,
                  .collective_bytes_total = number(job_.device_ranks.bytes_sent()),
                  .collective_seconds_total = job_.collectives.busy_seconds(),
                  .corrupt_samples_total = number(method_.corrupt_samples()),
                  .ready_batches = number(method_.ready_batches()),
                  .losses = means.losses,
                  .health = means.health};
  metrics_.record(done);
  last_data_wait_seconds_ = begun.arrival.data_wait_seconds;
  if (!due || !job_.folder) return;
  append_line(done, result);
  progress_->update(step, means.losses.at("total"));
}

void StepRecorder::record_skipped(const TrainingStep::Result& result) {
  metrics_.skipped_step();
  if (!job_.folder) return;
  log::warning("step {} is skipped: not finite in half precision with the loss scaled by {}",
               result.step + 1,
               result.loss_scale);
}

StepRecorder::Means StepRecorder::mean_over_ranks(const TrainingStep::Result& result) const {
  std::vector<double> values;
  for (const auto* list : {&result.losses, &result.health}) {
    for (const auto& [name, value] : *list) values.push_back(value);
  }
  const auto mean = at::tensor(values, at::kDouble);
  job_.host_ranks.all_reduce(mean);
  mean.div_(job_.host_ranks.size());
  Means means;
  const double* next = mean.const_data_ptr<double>();
  for (const auto& [name, value] : result.losses) means.losses[name] = *next++;
  for (const auto& [name, value] : result.health) means.health[name] = *next++;
  return means;
}

// Of the step before the last one that began, which the device has done by now, so that nobody
// waits for it: the step that ends, if the next one has begun.
Arrival StepRecorder::arrival_on_device(const Begun& begun) const {
  job_.collectives.poll();
  const auto waited = job_.collectives.last_step_device_seconds();
  const bool next_has_begun = begin_ > begun.since;
  return {waited ? -*waited : std::numeric_limits<double>::quiet_NaN(),
          next_has_begun ? begun.arrival.data_wait_seconds : last_data_wait_seconds_};
}

// Rank 0 reports who makes the others wait.
void StepRecorder::record_arrival(const Arrival& own, double step_seconds) {
  const auto row = at::tensor({own.seconds, own.data_wait_seconds}, at::kDouble);
  const auto all = job_.host_ranks.all_gather(row.unsqueeze(0));
  std::vector<Arrival> arrivals;
  for (std::int64_t r = 0; r < all.size(0); ++r)
    arrivals.push_back({all[r][0].item<double>(), all[r][1].item<double>()});
  const auto line = stragglers_.look(arrivals, step_seconds);
  if (line && job_.folder) log::warning("{}", *line);
  const auto lags = arrival_lags(arrivals);
  if (!lags.empty()) metrics_.arrival_lag(lags[job_.host_ranks.rank()]);
}

void StepRecorder::append_line(const Step& step, const TrainingStep::Result& result) {
  const auto batch_size = job_.options.batch_size;
  const auto number = static_cast<std::int64_t>(step.step);
  nlohmann::ordered_json line;
  line["step"] = number;
  line["epoch"] = (number - 1) * batch_size / method_.epoch_size();
  line["samples"] = number * batch_size;
  for (const auto& [name, value] : result.losses) line["losses"][name] = step.losses.at(name);
  for (const auto& [name, value] : result.health) line[name] = step.health.at(name);
  line["learning_rate"] = step.learning_rate;
  line["gradient_norm"] = step.gradient_norm;
  if (job_.options.precision == "fp16") line["loss_scale"] = result.loss_scale;
  line["seconds"] = step.seconds;
  line["data_wait_seconds"] = step.data_wait_seconds;
  job_.folder->append_metrics(json_text(line));
}

void StepRecorder::add(std::int64_t step, const ValidationResult& result) {
  metrics_.probe({number(step), result.j, result.f});
  if (!job_.folder) return;
  const nlohmann::ordered_json line = {{"step", step},
                                       {"probe_jf", result.jf()},
                                       {"probe_j", result.j},
                                       {"probe_f", result.f},
                                       {"probe_seconds", result.seconds}};
  job_.folder->append_metrics(json_text(line));
  log::info("step {}: probe {}", step, to_text(result));
}

}  // namespace stc::launcher
