// The options of pretrain and train, and the keys that set them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/loading/loader.h"
#include "dist/gradient_reducer.h"
#include "launcher/config/schema.h"
#include "launcher/training/optimizer.h"
#include "launcher/training/schedule.h"
#include "launcher/training/validation.h"
#include "models/spatial_model.h"
#include "models/temporal_model.h"
#include "monitoring/log.h"

namespace stc::launcher {

/// Shared by both steps.
struct TrainOptions {
  std::string run_dir;             ///< run.dir; no default
  std::uint64_t seed = 0;          ///< decides weights, order, crops: everything random
  std::string device = "auto";     ///< "auto", "cpu" or "cuda"
  std::string precision = "auto";  ///< "float32", "tf32", "bf16" or "fp16" (training_arithmetic.h)
  std::string memory_format = "auto";  ///< "contiguous" or "channels_last"
  bool deterministic = false;          ///< the same bits in every run on the same GPU
  int threads = 0;  ///< compute threads per rank; 0: this rank's share of the cores

  std::string shards;      ///< data.shards; no default
  std::string local_disk;  ///< data.local: where each node copies the shards to; empty: nowhere
  data::LoaderOptions loader{.workers = 1};

  std::int64_t steps = 1000;
  std::int64_t batch_size = 64;  ///< global
  std::int64_t accumulate = 1;   ///< micro-batches per step
  std::int64_t log_every = 10;   ///< steps between lines of metrics.jsonl
  std::string trace_steps;       ///< "FIRST:LAST", to be traced; empty: none

  int depth = 18;
  std::string init;  ///< weights to start from; empty: random

  std::int64_t checkpoint_every = 1000;  ///< steps
  double checkpoint_minutes = 0;         ///< and this long after the last save; 0: off
  std::int64_t checkpoint_keep = 3;

  ValidationOptions validation;
  log::FileOptions log;  ///< but for its path

  OptimizerOptions optimizer;
  double clip_norm = 0;  ///< largest norm of a gradient; 0: not clipped
  ScheduleOptions schedule;
  dist::ReducerOptions reducer;
  std::int64_t check_every = 1000;  ///< steps between checks that all ranks are equal
  double stall_seconds = 60;
  double timeout_seconds = 600;
  int metrics_port = 0;  ///< -1: off
  std::string metrics_address = "127.0.0.1";
  std::string metrics_user, metrics_password_file;  ///< both or none
};

struct PretrainOptions : TrainOptions {
  data::ImageOptions images;
  models::SpatialOptions spatial;
  std::int64_t key_groups = 2;  ///< batch norm groups of the key batch in a world of one

  PretrainOptions();
  void bind(ConfigSchema& schema);
  void check(int world) const;  ///< rules over several keys; throws stc::Error (kUsage)
};

struct VideoTrainOptions : TrainOptions {
  std::string preset = "paper_code";
  /// model.teacher: weights of step 1; empty is an error unless the global loss is off.
  std::string teacher;
  data::ClipOptions clips;
  models::TemporalLossOptions losses;  ///< without the preset and the switches
  /// One per quirk of the authors' code (docs/method.md 3): "preset", "on" (corrected) or "off".
  std::vector<std::string> switches;

  models::TemporalLossOptions resolved_losses() const;

  VideoTrainOptions();
  void bind(ConfigSchema& schema);
  void check(int world) const;
};

}  // namespace stc::launcher
