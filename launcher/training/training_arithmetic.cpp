#include "launcher/training/training_arithmetic.h"

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

constexpr char kPrecision[] = "run.precision";
constexpr char kMemoryFormat[] = "run.memory_format";
constexpr char kDeterministic[] = "run.deterministic";

Decided decide(const std::string& asked,
               const std::optional<std::string>& before,
               const std::string& of_device) {
  if (asked != "auto") return {asked, ""};
  return before ? Decided{*before, "as before"} : Decided{of_device, "auto"};
}

/// The earlier part of a run, as its config says.
struct EarlierPart {
  std::optional<std::string> device, precision, memory_format, deterministic;

  explicit EarlierPart(const std::string& recorded) {
    if (recorded.empty()) return;
    device = word_in(recorded, "run.device");
    precision = word_in(recorded, kPrecision);
    memory_format = word_in(recorded, kMemoryFormat);
    deterministic = word_in(recorded, kDeterministic);
  }
  // Written by a version that left cuDNN's TF32 on.
  bool had_silent_tf32() const {
    return device && device != "cpu" && precision == "float32" && !deterministic;
  }
};

// The run continues as it was. Someone who asks for float32 by name must know that it was not.
void read_as_tf32(const TrainOptions& options, TrainingArithmetic* out) {
  STC_CHECK_USAGE(options.precision != "float32",
                  "run.precision is float32, but the earlier part of the run in {} allowed TF32 on "
                  "the GPU, as that version of stc always did; leave run.precision out or give "
                  "tf32 to resume it as it was, or begin a new run",
                  options.run_dir);
  out->read_as[kPrecision] = "tf32";
  out->notes.push_back(
      "the earlier part of this run was computed in what is now called tf32: float32 with TF32 "
      "allowed on the GPU; it resumes as that, and its config.toml says so from now on");
}

void note_changed_determinism(const TrainOptions& options,
                              const EarlierPart& earlier,
                              TrainingArithmetic* out) {
  const bool before = earlier.deterministic == "true";
  if (!earlier.precision || options.device == "cpu" || before == options.deterministic) return;
  out->notes.push_back(
      before ? "the earlier part of this run had run.deterministic = true, this one does not: its "
               "weights cannot be repeated bit for bit"
             : "run.deterministic is true from here on: a repetition gives the same bits only from "
               "the checkpoint from which this resumes");
}

}  // namespace

TrainingArithmetic decide_arithmetic(const TrainOptions& options, const std::string& recorded) {
  const bool on_gpu = options.device == "cuda";
  EarlierPart earlier(recorded);
  TrainingArithmetic out;
  if (on_gpu && earlier.had_silent_tf32()) {
    read_as_tf32(options, &out);
    earlier.precision = "tf32";
  }
  out.precision = decide(options.precision, earlier.precision, on_gpu ? "bf16" : "float32");
  out.memory_format =
      decide(options.memory_format, earlier.memory_format, on_gpu ? "channels_last" : "contiguous");
  STC_CHECK_USAGE(on_gpu || out.precision.value != "tf32",
                  "run.precision is tf32{}, which only a GPU computes, and run.device is {}; give "
                  "float32 or bf16, or a machine with a GPU",
                  out.precision.by.empty() ? "" : " in the run that is resumed",
                  options.device);
  note_changed_determinism(options, earlier, &out);
  return out;
}

std::string describe(const TrainingArithmetic& arithmetic, bool deterministic) {
  const auto words = [](const Decided& decided) {
    return decided.by.empty() ? decided.value : text("{} ({})", decided.value, decided.by);
  };
  return text("precision {}, {}{}",
              words(arithmetic.precision),
              words(arithmetic.memory_format),
              deterministic ? ", deterministic" : "");
}

models::Arithmetic arithmetic_of(const TrainOptions& options) {
  models::Arithmetic arithmetic;
  if (options.precision == "bf16") arithmetic.reduced = at::kBFloat16;
  if (options.precision == "fp16") arithmetic.reduced = at::kHalf;
  arithmetic.channels_last = options.memory_format == "channels_last";
  return arithmetic;
}

models::ArithmeticFlags flags_of(const TrainOptions& options) {
  const bool on_gpu = options.device == "cuda";
  const bool exact = options.precision == "float32" || options.precision == "auto";
  return {.tf32 = on_gpu && !exact,
          .deterministic = options.deterministic,
          .autotune = on_gpu && !options.deterministic};
}

int with_unrepeatable_named(const std::function<int()>& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    const auto name = models::unrepeatable_operator(error.what());
    if (!name) throw;
    throw Error(Exit::kFailed,
                text("run.deterministic is true, but {} has no deterministic form on this device; "
                     "give --run.deterministic=false to train without it, and report this as a "
                     "defect of stc",
                     *name));
  }
}

}  // namespace stc::launcher
