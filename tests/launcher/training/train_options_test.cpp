#include "launcher/training/train_options.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

void expect_usage_error(const std::function<void()>& body, const std::string& part) {
  try {
    body();
    FAIL() << "accepted; expected an error with '" << part << "'";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

VideoTrainOptions sound() {
  VideoTrainOptions options;
  options.run_dir = "r";
  options.shards = "s";
  options.teacher = "t";
  return options;
}

TEST(VideoTrainOptions, RulesOverSeveralKeysNameTheKeys) {
  sound().check(2);
  expect_usage_error([] { sound().check(3); },
                     "train.batch_size is 64, which 3 ranks do not divide");
  expect_usage_error(
      [] {
        auto options = sound();
        options.teacher = "";
        options.check(1);
      },
      "model.teacher is empty");
  expect_usage_error(
      [] {
        auto options = sound();
        options.trace_steps = "9:8";
        options.check(1);
      },
      "train.trace_steps is \"9:8\"");
  expect_usage_error(
      [] {
        auto options = sound();
        options.steps = 5;
        options.trace_steps = "5:9";
        options.check(1);
        options.trace_steps = "6:9";
        options.check(1);
      },
      "train.trace_steps is \"6:9\"; expected steps of this run, which ends with step 5");
  auto without_teacher = sound();
  without_teacher.teacher = "";
  without_teacher.losses.global_weight = 0;
  without_teacher.check(1);
}

TEST(VideoTrainOptions, SwitchesOverrideThePreset) {
  auto options = sound();
  options.preset = "fixed";
  EXPECT_TRUE(options.resolved_losses().shannon_entropy);
  EXPECT_FALSE(options.resolved_losses().distil_row_mass);
  ConfigSchema schema;
  options.bind(schema);
  schema.override_with("--losses.shannon_entropy=off");
  schema.override_with("--losses.distil_row_mass=on");
  EXPECT_FALSE(options.resolved_losses().shannon_entropy);
  EXPECT_TRUE(options.resolved_losses().threshold_per_sample);
  EXPECT_TRUE(options.resolved_losses().distil_row_mass);
}

// The full list, so that no key joins it unseen.
template <typename Options>
std::set<std::string> operation_keys() {
  Options options;
  ConfigSchema schema;
  options.bind(schema);
  std::set<std::string> names;
  for (const ConfigKey& key : schema.keys())
    if (key.effect == Effect::kOperation) names.insert(key.name);
  return names;
}

TEST(TrainOptions, TheseKeysAloneCannotChangeTheTrainedWeights) {
  const std::set<std::string> expected = {"run.dir",
                                          "run.device",
                                          "run.deterministic",
                                          "run.threads",
                                          "data.local",
                                          "loader.workers",
                                          "loader.prefetch",
                                          "loader.max_bad_fraction",
                                          "train.log_every",
                                          "train.trace_steps",
                                          "checkpoint.every_steps",
                                          "checkpoint.every_minutes",
                                          "checkpoint.keep",
                                          "dist.stall_seconds",
                                          "dist.timeout_seconds",
                                          "dist.bucket_mib",
                                          "dist.first_bucket_mib",
                                          "dist.check_every",
                                          "probe.data",
                                          "probe.split",
                                          "probe.every_steps",
                                          "probe.clips",
                                          "probe.short_side",
                                          "log.json",
                                          "log.rotate_bytes",
                                          "log.keep",
                                          "metrics.port",
                                          "metrics.address",
                                          "metrics.user",
                                          "metrics.password_file"};
  EXPECT_EQ(operation_keys<PretrainOptions>(), expected);
  EXPECT_EQ(operation_keys<VideoTrainOptions>(), expected);
}

TEST(PretrainOptions, QueueMustHoldAStep) {
  PretrainOptions options;
  options.run_dir = "r";
  options.shards = "s";
  options.check(2);
  options.spatial.queue_size = 128;
  expect_usage_error([&] { options.check(2); }, "contrastive.queue_size is 128");
}

}  // namespace
}  // namespace stc::launcher
