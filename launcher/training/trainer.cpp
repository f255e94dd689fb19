#include "launcher/training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "dist/run_together.h"
#include "launcher/training/finite_guard.h"
#include "launcher/training/rank_equality.h"
#include "launcher/training/run_metrics.h"
#include "launcher/training/step_status.h"
#include "launcher/training/stop_signal.h"
#include "launcher/version.h"
#include "monitoring/activity.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string build_name() { return text("stc {}, LibTorch {}", version(), libtorch_version()); }

OptimizerOptions optimizer_options(const TrainOptions& options) {
  auto result = options.optimizer;
  result.scale_loss = options.precision == "fp16";
  return result;
}

void broadcast_all(dist::Communicator& world, const data::NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) world.broadcast(tensor, 0);
}

}  // namespace

Trainer::Trainer(const Setting& setting, Method& method)
    : setting_(setting),
      method_(method),
      optimizer_(optimizer_options(setting.options), method.parameters()),
      reducer_(method.parameters(), setting.world, setting.options.reducer),
      metrics_(metrics_options(setting.options, setting.control)) {
  if (setting_.folder) {
    checkpoints_ = std::make_unique<CheckpointStore>(setting_.folder->path("checkpoints"),
                                                     setting.options.checkpoint_keep);
    writer_ = std::make_unique<CheckpointWriter>(*checkpoints_, metrics_);
  }
  const auto& options = setting.options;
  if (options.probe.data.empty()) return;
  with_key("probe", [&] {
    probe_ = std::make_unique<Probe>(options.probe, options.depth, options.device, setting.control);
  });
}

int Trainer::run() {
  restore();
  dist::run_on_all_ranks(setting_.control, [&] { method_.start(step_); });
  publish_metrics();
  const auto& options = setting_.options;
  progress_ = std::make_unique<Progress>(
      setting_.name, step_, options.steps, options.batch_size, setting_.folder != nullptr);
  watch_stop_signals();
  saved_at_ = Clock::now();
  while (step_ < options.steps) {
    const int signal = train_one_step();
    const bool last = step_ == options.steps;
    if (signal == 0 && probe_is_due()) probe();
    if (writer_) writer_->poll();
    if (last || signal != 0 || save_is_due()) save();
    if (signal != 0 && !last) return stop(signal);
  }
  finish();
  return 0;
}

// The signal that any rank had seen before the update, or 0: all ranks stop after the same step.
int Trainer::train_one_step() {
  const auto start = Clock::now();
  const auto& options = setting_.options;
  activity::begin_step(step_ + 1);
  setting_.log.begin_step();

  // 1. Data, forward and backward: this rank's samples; the mean gradient of all ranks.
  const StepOutcome outcome = compute_gradients();
  activity::enter(activity::Phase::kUpdate);

  // 2. Guard: all ranks stop, or skip the step, or none.
  const double norm = optimizer_.gradient_norm();
  const auto status = of_all_ranks(setting_.control, {is_finite(norm, outcome), stop_signal()});
  if (!status.finite) skip_or_stop(norm, outcome);

  // 3. Update.
  const double rate = learning_rate(
      options.schedule, step_, options.steps, options.batch_size, method_.epoch_size());
  if (status.finite) {
    optimizer_.finish_gradients(norm, options.clip_norm);
    optimizer_.step(rate);
  }
  optimizer_.scaler.update(status.finite);
  ++step_;
  if (step_ % options.check_every == 0)
    check_equal_on_all_ranks(setting_.control, step_, method_.shared_state());

  // 4. Report.
  record(outcome,
         rate,
         norm,
         {seconds_since(start), outcome.data_wait_seconds, setting_.log.first_arrival_seconds()});
  return status.stop_signal;
}

// Buckets are reduced while the last micro-batch's later gradients are computed.
StepOutcome Trainer::compute_gradients() {
  const auto count = setting_.options.accumulate;
  const double weight = optimizer_.scaler.scale() / static_cast<double>(count);
  StepOutcome step;
  reducer_.zero();
  for (std::int64_t micro_batch = 0; micro_batch < count; ++micro_batch) {
    const StepOutcome part = method_.forward(step_, micro_batch);
    activity::enter(activity::Phase::kBackward);
    const auto loss = weight == 1 ? part.total : part.total * weight;
    micro_batch + 1 < count ? reducer_.accumulate(loss) : reducer_.backward(loss);
    step.add(part, count);
  }
  method_.after_backward();
  return step;
}

// In half precision a step that is not finite is part of finding the loss's scale.
void Trainer::skip_or_stop(double norm, const StepOutcome& outcome) {
  const auto& scaler = optimizer_.scaler;
  if (progress_) progress_->clear();
  if (!scaler.on() || scaler.skipped() + 1 >= LossScaler::kMostSkipped)
    stop_not_finite(setting_.control, step_ + 1, norm, outcome, scaler.skipped());
  metrics_.skipped_step();
  if (!setting_.folder) return;
  log::warning("step {} is skipped: not finite in half precision with the loss scaled by {}",
               step_ + 1,
               scaler.scale());
}

void Trainer::record(const StepOutcome& outcome, double rate, double norm, const Timing& timing) {
  const auto& options = setting_.options;
  const bool due = step_ % options.log_every == 0 || step_ == options.steps || step_ == 1;
  std::map<std::string, double> losses, health;
  if (due) {
    std::vector<at::Tensor> values;
    for (const auto* list : {&outcome.losses, &outcome.health}) {
      for (const auto& [name, value] : *list) values.push_back(value.to(at::kCPU, at::kDouble));
    }
    const auto mean = at::stack(values);
    setting_.control.all_reduce(mean);
    mean.div_(setting_.control.size());
    std::int64_t i = 0;
    for (const auto& [name, value] : outcome.losses) losses[name] = mean[i++].item<double>();
    for (const auto& [name, value] : outcome.health) health[name] = mean[i++].item<double>();
  }
  if (due) {
    metrics_.arrival_lag(arrival_lag(timing));
    record_device_memory(options.device, &metrics_);
  }
  const auto samples = step_ * options.batch_size / setting_.control.size();
  const auto number = [](std::int64_t count) { return static_cast<double>(count); };
  metrics_.record({.step = number(step_),
                   .samples = number(samples),
                   .learning_rate = rate,
                   .gradient_norm = norm,
                   .seconds = timing.seconds,
                   .data_wait_seconds = timing.data_wait_seconds,
                   .first_collective_seconds = timing.first_arrival_seconds,
                   .collective_bytes_total = number(setting_.world.bytes_sent()),
                   .collective_seconds_total = setting_.log.busy_seconds(),
                   .corrupt_samples_total = number(method_.corrupt_samples()),
                   .ready_batches = number(method_.ready_batches()),
                   .losses = losses,
                   .health = health});
  if (!due || !setting_.folder) return;
  nlohmann::ordered_json line;
  line["step"] = step_;
  line["epoch"] = (step_ - 1) * options.batch_size / method_.epoch_size();
  line["samples"] = step_ * options.batch_size;
  for (const auto& [name, value] : outcome.losses) line["losses"][name] = losses[name];
  for (const auto& [name, value] : outcome.health) line[name] = health[name];
  line["learning_rate"] = rate;
  line["gradient_norm"] = norm;
  if (optimizer_.scaler.on()) line["loss_scale"] = optimizer_.scaler.scale();
  line["seconds"] = timing.seconds;
  line["data_wait_seconds"] = timing.data_wait_seconds;
  setting_.folder->append_metrics(line.dump());
  progress_->update(step_, losses["total"]);
}

// Of this rank, in seconds; rank 0 says who makes the others wait.
double Trainer::arrival_lag(const Timing& timing) {
  auto& control = setting_.control;
  const auto own =
      at::tensor({timing.first_arrival_seconds, timing.data_wait_seconds}, at::kDouble);
  const auto all = control.all_gather(own.unsqueeze(0));
  std::vector<Arrival> arrivals;
  for (std::int64_t r = 0; r < all.size(0); ++r)
    arrivals.push_back({all[r][0].item<double>(), all[r][1].item<double>()});
  const auto line = stragglers_.look(arrivals, timing.seconds);
  if (line && setting_.folder) log::warning("{}", *line);
  return arrival_lags(arrivals)[control.rank()];
}

bool Trainer::probe_is_due() const {
  const auto& options = setting_.options;
  return probe_ && (step_ % options.probe.every_steps == 0 || step_ == options.steps);
}

void Trainer::probe() {
  const auto result = probe_->evaluate(method_.backbone_state());
  if (!result) return;
  metrics_.probe({static_cast<double>(step_), result->j, result->f});
  if (!setting_.folder) return;
  const nlohmann::ordered_json line = {{"step", step_},
                                       {"probe_jf", result->jf()},
                                       {"probe_j", result->j},
                                       {"probe_f", result->f},
                                       {"probe_seconds", result->seconds}};
  setting_.folder->append_metrics(line.dump());
  progress_->clear();
  log::info("step {}: probe {}", step_, to_text(*result));
}

bool Trainer::save_is_due() const {
  const auto& options = setting_.options;
  const double minutes = options.checkpoint_minutes;
  return step_ % options.checkpoint_every == 0 ||
         (minutes > 0 && seconds_since(saved_at_) >= 60 * minutes);
}

// The state agrees on all ranks and rank 0 alone writes it, so its clock decides and nobody waits.
void Trainer::save() {
  if (!writer_) return;
  activity::enter(activity::Phase::kCheckpoint);
  writer_->save(step_, [&] {
    setting_.folder->flush_metrics();  // a checkpoint stands for its steps' lines, too
    return checkpoint();
  });
  saved_at_ = Clock::now();
}

Checkpoint Trainer::checkpoint() const {
  nlohmann::ordered_json state;
  state["step"] = step_;
  state["samples"] = step_ * setting_.options.batch_size;
  state["world"] = setting_.control.size();
  state["threads"] = at::get_num_threads();
  state["inputs"] = method_.fingerprint();
  state["version"] = build_name();
  return {step_,
          method_.backbone_state(),
          method_.method_state(),
          optimizer_.state(),
          state.dump(1) + "\n"};
}

int Trainer::stop(int signal) {
  progress_.reset();
  dist::run_on_root(setting_.control, [&] {
    setting_.folder->remove("file_sd.json");
    const bool saved = writer_->wait().empty();
    const auto stopped = text("stopped by signal {} after step {}", signal, step_);
    STC_CHECK(saved,
              "{}, but this step is not saved; the same command goes on from {}",
              stopped,
              checkpoints_->resume_point());
    log::info("{}", stopped + "; run the same command again to go on");
  });
  return 128 + signal;
}

void Trainer::restore() {
  auto& world = setting_.control;
  Checkpoint found;
  const auto step = at::zeros({1}, at::kLong);
  dist::run_on_root(world, [&] {
    std::vector<std::string> passed_over;
    auto newest = checkpoints_->restore(&passed_over);
    for (const auto& why : passed_over) log::warning("passed over checkpoint {}", why);
    STC_CHECK_DATA(newest || passed_over.empty(),
                   "none of the {} checkpoints in {} is whole; bring one back from a copy, or use "
                   "--fresh to move the run aside and train anew",
                   passed_over.size(),
                   setting_.folder->path("checkpoints"));
    setting_.folder->cut_metrics_after(newest ? newest->step : 0);
    if (!newest) return;
    found = std::move(*newest);
    const auto state = nlohmann::json::parse(found.state);
    const std::string inputs = state.value("inputs", "");
    STC_CHECK_USAGE(inputs == method_.fingerprint(),
                    "checkpoint step {} was trained with {}, but this run's inputs are {}; give "
                    "the same model.teacher, or --fresh",
                    found.step,
                    inputs,
                    method_.fingerprint());
    if (state.value("world", 0) != world.size() ||
        state.value("threads", 0) != at::get_num_threads()) {
      log::warning(
          "the checkpoint was made by {} ranks of {} threads, this run has {} of {}: it goes on "
          "with the same samples, but not bit for bit",
          state.value("world", 0),
          state.value("threads", 0),
          world.size(),
          at::get_num_threads());
    }
    const auto source = text("checkpoint of step {}", found.step);
    method_.load(found.model, found.method, source);
    optimizer_.load(found.optimizer, source);
    step.fill_(found.step);
    log::info("going on from the checkpoint of step {} of {}", found.step, setting_.options.steps);
  });
  world.broadcast(step, 0);
  step_ = step.item<std::int64_t>();
  if (step_ == 0 || world.size() == 1) return;
  // Rank 0 has read it; the others need no access to the folder.
  auto model = method_.backbone_state(), method = method_.method_state(),
       optimizer = optimizer_.state();
  for (auto* tensors : {&model, &method, &optimizer}) broadcast_all(setting_.world, *tensors);
  if (!world.is_root()) {
    method_.load(model, method, "rank 0");
    optimizer_.load(optimizer, "rank 0");
  }
}

void Trainer::publish_metrics() {
  const auto& options = setting_.options;
  metrics_.info({{"command", setting_.name},
                 {"version", build_name()},
                 {"device", options.device},
                 {"precision", options.precision},
                 {"ranks", std::to_string(setting_.control.size())}});
  if (const char* restarts = std::getenv(kRestartsVariable)) metrics_.restarts(std::atof(restarts));
  const auto targets = service_discovery(options, setting_.control, metrics_.port());
  if (setting_.folder && !targets.empty())
    setting_.folder->write_atomically("file_sd.json", targets);
}

void Trainer::finish() {
  activity::enter(activity::Phase::kEnding);
  progress_.reset();
  dist::run_on_root(setting_.control, [&] {
    writer_->wait();
    try {
      write_results();
    } catch (const Error& cause) {
      throw Error(cause.exit(),
                  text("all {} steps are done, but {}; make room and give the same command again: "
                       "it goes on from {}",
                       step_,
                       cause.what(),
                       checkpoints_->resume_point()));
    }
    log::info(
        "finished {} steps; weights in {}", step_, setting_.folder->path("weights.safetensors"));
  });
}

void Trainer::write_results() {
  setting_.folder->flush_metrics();
  data::write_safetensors(setting_.folder->path("weights.safetensors"), method_.backbone_state());
  nlohmann::ordered_json summary;
  summary["finished"] = true;
  summary["command"] = setting_.name;
  summary["steps"] = step_;
  summary["samples"] = step_ * setting_.options.batch_size;
  summary["epochs"] = static_cast<double>(step_ * setting_.options.batch_size) /
                      static_cast<double>(method_.epoch_size());
  summary["corrupt_samples"] = method_.corrupt_samples();
  summary["ranks"] = setting_.control.size();
  summary["weights"] = "weights.safetensors";
  summary["version"] = build_name();
  setting_.folder->remove("file_sd.json");
  setting_.folder->write_atomically("summary.json", summary.dump(1) + "\n");
}

}  // namespace stc::launcher
