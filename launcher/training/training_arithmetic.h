// How a training computes: what run.precision, run.memory_format and run.deterministic come to on
// its device and in its run folder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "launcher/config/schema.h"
#include "launcher/training/train_options.h"
#include "models/arithmetic_flags.h"
#include "models/resnet.h"

namespace stc::launcher {

/// A value that may be "auto", decided.
struct Decided {
  std::string value;
  std::string by;  ///< "": as given; "auto": by the device; "as before": by the run folder
};

struct TrainingArithmetic {
  Decided precision, memory_format;
  /// What the run folder's config means if an earlier version wrote it.
  EarlierValues read_as{};
  std::vector<std::string> notes{};  ///< for the log, once
};

/// `options.device` is "cpu" or "cuda", and decides what is "auto", unless the run is resumed:
/// `recorded` is the config.toml of its earlier part, or "". Versions without run.deterministic
/// allowed TF32 in what they called float32, so that this is tf32 now. Throws stc::Error (kUsage)
/// for tf32 without a GPU.
TrainingArithmetic decide_arithmetic(const TrainOptions& options, const std::string& recorded);

/// "precision bf16 (auto), channels_last (auto)"
std::string describe(const TrainingArithmetic& arithmetic, bool deterministic);

/// Of options without an "auto"; one that is left means float32 and contiguous.
models::Arithmetic arithmetic_of(const TrainOptions& options);
/// The same for the process. What is not a convolution may use TF32 if those use an even shorter
/// type: what it multiplies comes out of them, and loses nothing by it.
models::ArithmeticFlags flags_of(const TrainOptions& options);

/// Calls `body`. An operator that refuses because of run.deterministic becomes an stc::Error
/// (kFailed) that names it and says what to do.
int with_unrepeatable_named(const std::function<int()>& body);

}  // namespace stc::launcher
