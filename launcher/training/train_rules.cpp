// Rules over several keys; those of one key stand with it in train_options.cpp.
#include "launcher/training/step_watch.h"
#include "launcher/training/train_options.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

void check_common(const TrainOptions& o, int world) {
  STC_CHECK_USAGE(!o.run_dir.empty(),
                  "run.dir is empty; say where the run goes, e.g. --run.dir=runs/first");
  STC_CHECK_USAGE(!o.shards.empty(),
                  "data.shards is empty; say which data set to train on, e.g. "
                  "--data.shards=data/mine (made by `stc pack`)");
  STC_CHECK_USAGE(o.batch_size % world == 0,
                  "train.batch_size is {}, which {} ranks do not divide; choose a multiple of {}",
                  o.batch_size,
                  world,
                  world);
  STC_CHECK_USAGE(
      o.batch_size / world % o.accumulate == 0,
      "train.accumulate is {}; expected a divisor of the batch of one rank, which is {}",
      o.accumulate,
      o.batch_size / world);
  STC_CHECK_USAGE(o.depth == 18 || o.depth == 50, "model.depth is {}; expected 18 or 50", o.depth);
  if (const auto traced = traced_steps(o.trace_steps)) {
    STC_CHECK_USAGE(traced->first <= o.steps,
                    "train.trace_steps is \"{}\"; expected steps of this run, which ends with step "
                    "{} (train.steps)",
                    o.trace_steps,
                    o.steps);
  }
  STC_CHECK_USAGE(o.metrics_user.empty() == o.metrics_password_file.empty(),
                  "metrics.user is \"{}\" and metrics.password_file is \"{}\"; expected both, or "
                  "neither for metrics without a password",
                  o.metrics_user,
                  o.metrics_password_file);
}

}  // namespace

void PretrainOptions::check(int world) const {
  check_common(*this, world);
  STC_CHECK_USAGE(spatial.queue_size >= batch_size,
                  "contrastive.queue_size is {}; expected at least train.batch_size, which is {}",
                  spatial.queue_size,
                  batch_size);
  STC_CHECK_USAGE(world > 1 || batch_size / accumulate % key_groups == 0,
                  "contrastive.key_groups is {}; expected a divisor of train.batch_size / "
                  "train.accumulate, which is {}",
                  key_groups,
                  batch_size / accumulate);
}

void VideoTrainOptions::check(int world) const {
  check_common(*this, world);
  losses.check();
  STC_CHECK_USAGE(clips.size % 32 == 0, "clips.size is {}; expected a multiple of 32", clips.size);
  STC_CHECK_USAGE(clips.min_aspect <= clips.max_aspect,
                  "clips.min_aspect is {}; expected at most clips.max_aspect, which is {}",
                  clips.min_aspect,
                  clips.max_aspect);
  STC_CHECK_USAGE(!teacher.empty() || losses.global_weight == 0,
                  "model.teacher is empty; give step 1's weights (RUN/weights.safetensors), or "
                  "--losses.global_weight=0 to train without a teacher");
}

}  // namespace stc::launcher
