// `stc bench step1` and `step2`: training steps on random images or clips, without a loader.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "dist/communicator.h"
#include "dist/device.h"
#include "dist/run_together.h"
#include "launcher/checks/bench.h"
#include "launcher/checks/peak_memory.h"
#include "launcher/config/usage_error.h"
#include "launcher/training/operation_count.h"
#include "launcher/training/profile.h"
#include "launcher/training/random_loader.h"
#include "launcher/training/throughput.h"
#include "launcher/training/training_arithmetic.h"
#include "launcher/training/training_step.h"
#include "monitoring/check.h"
#include "monitoring/log.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

struct Arguments {
  int depth = 18;
  std::int64_t size = 224, batch = 8, queue = 65536;
  int steps = 4, threads = 1;
  std::string device = "cpu", precision = "float32", memory_format = "contiguous";
  bool deterministic = false;
};

/// The same images or clips at every step, so that drawing them costs nothing.
template <typename Batch>
class SameBatch : public data::Loader<Batch> {
 public:
  SameBatch(Batch batch, at::Device device) : batch_(std::move(batch)) {
    if (device.is_cpu()) return;
    // As the loader of a training has them.
    auto& [first, second, samples] = batch_;
    for (auto* tensor : {&first, &second})
      if (tensor->defined()) *tensor = tensor->pin_memory();
  }
  Batch next() override { return batch_; }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return std::ssize(batch_.samples); }
  std::int64_t ready() const override { return 1; }

 private:
  Batch batch_;
};

/// A method and how its steps are to be run.
struct Work {
  std::unique_ptr<TrainingMethod> method;
  TrainingStep::Options step;
};

template <typename Options>
Options common_options(const Arguments& arguments, const dist::Communicator& ranks) {
  Options options;
  options.depth = arguments.depth;
  options.batch_size = arguments.batch * ranks.size();
  options.precision = arguments.precision;
  options.memory_format = arguments.memory_format;
  return options;
}

Work make_step1(const Arguments& arguments, dist::Communicator& ranks, at::Device device) {
  auto options = common_options<PretrainOptions>(arguments, ranks);
  options.images.size = static_cast<int>(arguments.size);
  options.spatial.queue_size = arguments.queue;
  if (arguments.batch % options.key_groups != 0) options.key_groups = 1;
  auto images = RandomLoader<data::ImageBatch>(arguments.batch, arguments.size).next();
  auto loader = std::make_unique<SameBatch<data::ImageBatch>>(std::move(images), device);
  return {make_method(options, ranks, device, std::move(loader)), step_options(options)};
}

Work make_step2(const Arguments& arguments, dist::Communicator& ranks, at::Device device) {
  auto options = common_options<VideoTrainOptions>(arguments, ranks);
  options.clips.size = static_cast<int>(arguments.size);
  auto clips = RandomLoader<data::ClipBatch>(arguments.batch, arguments.size).next();
  if (!device.is_cpu()) clips.lab.reset();  // is made on a GPU
  auto loader = std::make_unique<SameBatch<data::ClipBatch>>(std::move(clips), device);
  const models::ResNet teacher(models::standard_options(arguments.depth), /*seed=*/0);
  return {make_method(options, ranks, device, std::move(loader), teacher.state()),
          step_options(options)};
}

/// What the two benches differ in.
struct StepKind {
  const char* name;
  const char* title;
  const char* sample;
  int images_per_sample;     ///< a pair of views is one image, a clip has two frames
  std::int64_t size, batch;  ///< by default
  Work (*make)(const Arguments&, dist::Communicator&, at::Device);
};

constexpr StepKind kStep1 = {"step1", "step 1", "images", 1, 224, 8, make_step1};
constexpr StepKind kStep2 = {"step2", "step 2", "clips", 2, 256, 2, make_step2};

struct Measurement {
  double seconds = 0;  ///< per step
  std::optional<std::int64_t> peak_memory_bytes;
  Operations operations;  ///< of a step
  std::optional<std::int64_t> launches;
};

/// Runs steps one after the other. `barrier` first, so that no rank waits for another that has not
/// begun.
class Timing {
 public:
  static constexpr double kLearningRate = 1e-5;

  Timing(TrainingStep& step, dist::Communicator& ranks, at::Device device)
      : step_(step), ranks_(ranks), device_(device) {}

  /// The host waits for each of a CPU's steps: the fastest, after one warm-up.
  double fastest(int steps) {
    std::vector<double> rounds;
    for (int i = 0; i <= steps; ++i) {
      ranks_.barrier();
      const Stopwatch clock;
      run();
      rounds.push_back(clock.seconds());
    }
    return fastest_after_warm_up(rounds);
  }

  /// A GPU may be a step behind its host, as in a training: the mean, from one moment at which it
  /// is done to another.
  double mean_on_gpu(int steps) {
    for (int i = 0; i < kWarmUp; ++i) run();
    dist::synchronise(device_);
    ranks_.barrier();
    const Stopwatch clock;
    auto before = launch();
    for (int i = 1; i < steps; ++i) {
      auto launched = launch();
      step_.finish(before);
      before = std::move(launched);
    }
    step_.finish(before);
    dist::synchronise(device_);
    return clock.seconds() / steps;
  }

  Operations count_one() {
    const OperationCount count(device_);
    run();
    return count.so_far();
  }

  /// On a GPU; nothing where LibTorch's profiler sees none.
  std::optional<std::int64_t> kernels_of_one() {
    Profile profile(device_);
    run();
    profile.end();
    const auto kernels = profile.kernels();
    if (kernels == 0) return {};
    return kernels;
  }

 private:
  static constexpr int kWarmUp = 3;  // cuDNN chooses its algorithms, the allocator grows

  TrainingStep::Launched launch() { return step_.launch(done_++, kLearningRate); }
  void run() { step_.finish(launch()); }

  TrainingStep& step_;
  dist::Communicator& ranks_;
  at::Device device_;
  std::int64_t done_ = 0;
};

struct RanksOfStep {
  dist::Communicator &host, &device, &method;
};

Measurement measure_steps(const StepKind& kind,
                          const Arguments& arguments,
                          const RanksOfStep& ranks,
                          at::Device device) {
  const PeakMemory memory(device);
  const Work work = kind.make(arguments, ranks.method, device);
  TrainingStep step(*work.method, work.step, ranks.host, ranks.device);
  Timing timing(step, ranks.device, device);
  Measurement result;
  result.seconds =
      device.is_cpu() ? timing.fastest(arguments.steps) : timing.mean_on_gpu(arguments.steps);
  result.peak_memory_bytes = memory.bytes();
  result.operations = timing.count_one();
  result.launches = device.is_cpu() ? result.operations.aten_calls : timing.kernels_of_one();
  return result;
}

nlohmann::json or_null(const auto& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

nlohmann::ordered_json fields_of(const StepKind& kind,
                                 const Arguments& arguments,
                                 const Measurement& seen,
                                 int ranks,
                                 at::Device device) {
  const auto images = static_cast<double>(arguments.batch * kind.images_per_sample);
  const auto speed = throughput({images,
                                 seen.operations.floating_point,
                                 peak_operations_per_second(device, arguments.precision)},
                                seen.seconds);
  nlohmann::ordered_json fields = {{"benchmark", kind.name},
                                   {"depth", arguments.depth},
                                   {"size", arguments.size},
                                   {"batch", arguments.batch}};
  if (&kind == &kStep1) fields["queue"] = arguments.queue;
  fields["ranks"] = ranks;
  fields["threads"] = arguments.threads;
  fields["device"] = dist::device_word(device);
  fields["precision"] = arguments.precision;
  fields["memory_format"] = arguments.memory_format;
  fields["deterministic"] = arguments.deterministic;
  fields["seconds_per_step"] = seen.seconds;
  fields["images_per_second"] = ranks * speed.images_per_second;
  fields["host_syncs"] = seen.operations.host_reads;
  fields["launches"] = or_null(seen.launches);
  fields["tflops"] = speed.operations_per_second / 1e12;
  fields["mfu"] = or_null(speed.utilization);
  fields["peak_memory_bytes"] = or_null(seen.peak_memory_bytes);
  return fields;
}

// As in a training: what is "auto" becomes what it is on the device, and the process computes so.
void decide_arithmetic(Arguments* arguments, at::Device device) {
  TrainOptions options;
  options.device = dist::device_word(device);
  options.precision = arguments->precision;
  options.memory_format = arguments->memory_format;
  options.deterministic = arguments->deterministic;
  const auto decided = launcher::decide_arithmetic(options, /*recorded=*/"");
  options.precision = arguments->precision = decided.precision.value;
  arguments->memory_format = decided.memory_format.value;
  models::apply_arithmetic_flags(flags_of(options));
}

int measure(const StepKind& kind, Arguments arguments, dist::Session& session, bool json) {
  log::open(session.world().rank, session.world().size);
  at::set_num_threads(arguments.threads);
  if (arguments.deterministic && arguments.device != "cpu") models::fix_cublas_workspace();
  const auto host_ranks = dist::make_communicator(session, at::kCPU, {});
  const auto device = dist::choose_device(arguments.device, *host_ranks);
  dist::run_on_all_ranks(*host_ranks, [&] { decide_arithmetic(&arguments, device); });
  const auto device_ranks =
      device.is_cpu() ? host_ranks : dist::make_communicator(session, device, {});
  const bool own_group = !device.is_cpu() && &kind == &kStep2;  // as in a training
  const auto method_ranks =
      own_group ? dist::make_communicator(session, device, {.high_priority = true}) : device_ranks;
  const RanksOfStep ranks{*host_ranks, *device_ranks, *method_ranks};
  const auto seen = measure_steps(kind, arguments, ranks, device);
  if (!host_ranks->is_root()) return 0;
  const auto fields = fields_of(kind, arguments, seen, host_ranks->size(), device);
  print_measurement(text("{}, ResNet-{}, {} {} of {} pixels per rank: {} ms per step, {} images/s, "
                         "{} TFLOP/s per rank",
                         kind.title,
                         arguments.depth,
                         arguments.batch,
                         kind.sample,
                         arguments.size,
                         1000 * seen.seconds,
                         fields.at("images_per_second").get<double>(),
                         fields.at("tflops").get<double>()),
                    fields,
                    json);
  return 0;
}

void add_machine_options(CLI::App& command, Arguments* arguments) {
  command.option_defaults()->group("Machine");
  command.add_option("--threads", arguments->threads, "Compute threads per rank")
      ->check(above_zero());
  command.add_option("--device", arguments->device, "cpu, cuda or auto");
  command.add_option("--precision", arguments->precision, "Number format of the convolutions")
      ->check(CLI::IsMember({"auto", "float32", "tf32", "bf16", "fp16"}));
  command
      .add_option("--memory-format", arguments->memory_format, "Memory layout of the feature maps")
      ->check(CLI::IsMember({"auto", "contiguous", "channels_last"}));
  command.add_flag("--deterministic",
                   arguments->deterministic,
                   "Only operators that give the same bits every time");
}

Bench step_bench(CLI::App& command, const StepKind& kind) {
  const auto arguments = std::make_shared<Arguments>();
  arguments->size = kind.size;
  arguments->batch = kind.batch;
  command.option_defaults()->group("Method");
  command.add_option("--depth", arguments->depth, "Depth of both networks")
      ->check(CLI::IsMember({18, 50}));
  const bool clips = &kind == &kStep2;
  command
      .add_option("--size",
                  arguments->size,
                  clips ? "Clip side in pixels, a multiple of 32" : "Side of the crops in pixels")
      ->check(CLI::Range(32, 4096));
  command.add_option("--batch", arguments->batch, clips ? "Clips per rank" : "Images per rank")
      ->check(above_zero());
  if (!clips) {
    command.add_option("--queue", arguments->queue, "Keys in the queue")
        ->check(CLI::Range(1, 1 << 24));
  }
  command.add_option("--steps", arguments->steps, "Timed steps, after a warm-up")
      ->check(above_zero());
  add_machine_options(command, arguments.get());
  return [arguments, &kind, clips](bool json_only) {
    STC_CHECK_USAGE(!clips || arguments->size % 32 == 0,
                    "--size is {}; expected a multiple of 32",
                    arguments->size);
    return dist::run_over_ranks(
        [&](dist::Session& session) { return measure(kind, *arguments, session, json_only); });
  };
}

}  // namespace

Bench step1_bench(CLI::App& command) { return step_bench(command, kStep1); }
Bench step2_bench(CLI::App& command) { return step_bench(command, kStep2); }

}  // namespace stc::launcher
