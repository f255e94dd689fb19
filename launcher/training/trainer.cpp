#include "launcher/training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "dist/run_together.h"
#include "launcher/run_folder/weights.h"
#include "launcher/training/rank_equality.h"
#include "launcher/training/stop_signal.h"
#include "launcher/version.h"
#include "monitoring/activity.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"
#include "monitoring/log.h"

namespace stc::launcher {

using activity::Phase;

namespace {

StepWatch::Options watch_options(const TrainingJob& job) {
  const auto& options = job.options;
  return {job.device,
          options.trace_steps,
          text("{}/trace/rank-{}.json", options.run_dir, job.host_ranks.rank()),
          options.batch_size / job.host_ranks.size() / options.accumulate};
}

TrainingStep::Options watched_options(const TrainOptions& options, StepWatch& watch) {
  auto step = step_options(options);
  step.on_phase = [&watch](Phase phase) { watch.enter(phase); };
  return step;
}

}  // namespace

Trainer::Trainer(const TrainingJob& job, TrainingMethod& method)
    : job_(job),
      method_(method),
      watch_(watch_options(job)),
      training_step_(
          method, watched_options(job.options, watch_), job.host_ranks, job.device_ranks),
      recorder_(job, method, watch_) {
  const auto& options = job.options;
  if (job_.folder) {
    checkpoints_ = std::make_unique<CheckpointStore>(job_.folder->path("checkpoints"),
                                                     options.checkpoint_keep);
    writer_ = std::make_unique<CheckpointWriter>(*checkpoints_, recorder_.metrics());
  }
  if (options.validation.data.empty()) return;
  with_key_in_errors("probe", [&] {
    validation_ = std::make_unique<Validation>(
        options.validation, options.depth, method_.input_colour(), job_.device, job_.host_ranks);
  });
}

// On a GPU a step's numbers are read, and its requests met, when the next step has been queued, so
// that the device never waits for the host; a step after which something is to be done is read at
// once, as each is on a CPU. All ranks do this alike.
int Trainer::run() {
  restore();
  dist::run_on_all_ranks(job_.host_ranks, [&] { method_.start(step_); });
  recorder_.start(step_);
  watch_stop_signals();
  since_save_.restart();
  std::optional<Begun> before;
  while (step_ < job_.options.steps) {
    auto begun = begin_step();
    Requests requests;
    if (before) requests = end_step(*before);
    before.reset();
    if (!requests.any() && job_.reads_late && !work_is_due()) {
      before = std::move(begun);
      continue;
    }
    requests.add(end_step(begun));
    const bool stops = requests.stop_signal != 0, last = step_ == job_.options.steps;
    if (!stops && validation_is_due()) validate();
    if (requests.save || stops || step_ % job_.options.checkpoint_every == 0 || last) save();
    if (stops && !last) return stop(requests.stop_signal);
  }
  finish();
  return 0;
}

Trainer::Begun Trainer::begin_step() {
  const auto& options = job_.options;
  watch_.begin_step(step_ + 1);
  recorder_.begin_step();
  const double rate = learning_rate(
      options.schedule, step_, options.steps, options.batch_size, method_.epoch_size());
  auto launched = watch_.explain_lack_of_memory([&] { return training_step_.launch(step_, rate); });
  watch_.end_step();
  ++step_;
  if (writer_) writer_->poll();
  const auto record = recorder_.begun(rate, launched.outcome.data_wait_seconds);
  const Requests own{stop_signal(), save_is_late()};
  return {std::move(launched), PendingRequests(job_.host_ranks, own), record};
}

// Returns what any rank asked for when it had queued the step.
Requests Trainer::end_step(const Begun& begun) {
  const auto result = training_step_.finish(begun.step);
  const auto requests = begun.requests.wait();
  const auto done = result.step + 1;
  if (done % job_.options.check_every == 0)
    check_equal_on_all_ranks(job_.host_ranks, done, method_.shared_state());
  recorder_.end_step(begun.record, result);
  return requests;
}

bool Trainer::work_is_due() const {
  const auto& options = job_.options;
  return step_ == options.steps || step_ % options.check_every == 0 ||
         step_ % options.checkpoint_every == 0 || validation_is_due();
}

bool Trainer::validation_is_due() const {
  const auto& options = job_.options;
  return validation_ && (step_ % options.validation.every_steps == 0 || step_ == options.steps);
}

void Trainer::validate() {
  const auto result = validation_->evaluate(method_.backbone_state());
  if (result) recorder_.add(step_, *result);
}

// Rank 0 alone writes, so its clock decides for all.
bool Trainer::save_is_late() const {
  const double minutes = job_.options.checkpoint_minutes;
  return writer_ && minutes > 0 && since_save_.seconds() >= 60 * minutes;
}

// The state agrees on all ranks; rank 0 alone writes it.
void Trainer::save() {
  if (!writer_) return;
  activity::enter(Phase::kCheckpoint);
  writer_->save(step_, [&] {
    job_.folder->flush_metrics();  // a resumed run keeps the lines up to its checkpoint
    return checkpoint();
  });
  since_save_.restart();
}

Checkpoint Trainer::checkpoint() const {
  nlohmann::ordered_json state;
  state["step"] = step_;
  state["samples"] = step_ * job_.options.batch_size;
  state["world"] = job_.host_ranks.size();
  state["threads"] = at::get_num_threads();
  state["inputs"] = method_.fingerprint();
  state["version"] = build_name();
  return {step_,
          method_.backbone_state(),
          method_.method_state(),
          training_step_.optimizer.state(),
          json_text(state, 1) + "\n",
          data::word_for(method_.input_colour())};
}

void Trainer::restore() {
  const auto step = at::zeros({1}, at::kLong);
  dist::run_on_root(job_.host_ranks, [&] { step.fill_(load_newest_checkpoint()); });
  job_.host_ranks.broadcast(step, 0);
  step_ = step.item<std::int64_t>();
  if (step_ > 0 && job_.host_ranks.size() > 1) share_with_all_ranks();
}

// On rank 0. Returns the checkpoint's step, 0 when there is none.
std::int64_t Trainer::load_newest_checkpoint() {
  const auto [found, skipped] = checkpoints_->restore();
  for (const auto& why : skipped) log::warning("skipped checkpoint {}", why);
  STC_CHECK_DATA(found || skipped.empty(),
                 "none of the {} checkpoints in {} is complete; restore one from a backup, or use "
                 "--fresh to move the run aside and train from the beginning",
                 skipped.size(),
                 job_.folder->path("checkpoints"));
  job_.folder->cut_metrics_after(found ? found->step : 0);
  if (!found) return 0;
  const auto state = nlohmann::json::parse(found->state);
  const std::string inputs = state.value("inputs", "");
  STC_CHECK_USAGE(inputs == method_.fingerprint(),
                  "the checkpoint of step {} was trained with {}, but this run's inputs are {}; "
                  "give the same model.teacher, or --fresh",
                  found->step,
                  inputs,
                  method_.fingerprint());
  const int ranks = state.value("world", 0), threads = state.value("threads", 0);
  if (ranks != job_.host_ranks.size() || threads != at::get_num_threads()) {
    log::warning(
        "the checkpoint was made by {} ranks of {} threads, this run has {} of {}: it resumes with "
        "the same samples, but not bit for bit",
        ranks,
        threads,
        job_.host_ranks.size(),
        at::get_num_threads());
  }
  const auto source = text("checkpoint of step {}", found->step);
  method_.load(found->model, found->method, source);
  training_step_.optimizer.load(found->optimizer, source);
  log::info("resuming from the checkpoint of step {} of {}", found->step, job_.options.steps);
  return found->step;
}

// Rank 0 has read it; the others need no access to the folder.
void Trainer::share_with_all_ranks() {
  const auto model = method_.backbone_state(), method = method_.method_state(),
             optimizer = training_step_.optimizer.state();
  for (const auto* state : {&model, &method, &optimizer})
    dist::broadcast_state(job_.host_ranks, job_.device_ranks, *state);
  if (job_.host_ranks.is_root()) return;
  method_.load(model, method, "rank 0");
  training_step_.optimizer.load(optimizer, "rank 0");
}

int Trainer::stop(int signal) {
  recorder_.finish();
  dist::run_on_root(job_.host_ranks, [&] {
    job_.folder->remove("file_sd.json");
    STC_CHECK(writer_->wait().empty(),
              "stopped by signal {} after step {}, but this step is not saved; the same command "
              "resumes from {}",
              signal,
              step_,
              checkpoints_->resume_point());
    log::info(
        "stopped by signal {} after step {}; run the same command again to resume", signal, step_);
  });
  return 128 + signal;
}

void Trainer::finish() {
  activity::enter(Phase::kEnding);
  recorder_.finish();
  dist::run_on_root(job_.host_ranks, [&] {
    writer_->wait();
    try {
      write_results();
    } catch (const Error& cause) {
      throw Error(cause.exit(),
                  text("all {} steps are done, but {}; make room and run the same command again: "
                       "it resumes from {}",
                       step_,
                       cause.what(),
                       checkpoints_->resume_point()));
    }
    log::info("finished {} steps; weights in {}", step_, job_.folder->path("weights.safetensors"));
  });
}

void Trainer::write_results() {
  auto& folder = *job_.folder;
  folder.flush_metrics();
  data::write_safetensors(folder.path("weights.safetensors"),
                          method_.backbone_state(),
                          weights_metadata(data::word_for(method_.input_colour())));
  const auto samples = step_ * job_.options.batch_size;
  nlohmann::ordered_json summary;
  summary["finished"] = true;
  summary["command"] = job_.name;
  summary["steps"] = step_;
  summary["samples"] = samples;
  summary["epochs"] = static_cast<double>(samples) / static_cast<double>(method_.epoch_size());
  summary["corrupt_samples"] = method_.corrupt_samples();
  summary["ranks"] = job_.host_ranks.size();
  summary["weights"] = "weights.safetensors";
  summary["version"] = build_name();
  folder.remove("file_sd.json");
  folder.write_atomically("summary.json", json_text(summary, 1) + "\n");
}

}  // namespace stc::launcher
