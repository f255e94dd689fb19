// `stc bench step2`: one training step of step 2 on random clips, without a loader.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "dist/communicator.h"
#include "dist/device.h"
#include "dist/run_together.h"
#include "launcher/checks/bench.h"
#include "launcher/training/random_loader.h"
#include "launcher/training/training_step.h"
#include "monitoring/log.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

struct Arguments {
  int depth = 18;
  std::int64_t size = 256, batch = 2;
  int steps = 4, threads = 1;
  std::string device = "cpu";
};

/// The same clips at every step, so that drawing them costs nothing.
class SameClips : public data::ClipLoader {
 public:
  SameClips(std::int64_t batch, std::int64_t size)
      : batch_(RandomLoader<data::ClipBatch>(batch, size).next()) {}
  data::ClipBatch next() override { return batch_; }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return batch_.rgb.size(0); }

 private:
  data::ClipBatch batch_;
};

std::unique_ptr<TrainingMethod> make_method(const Arguments& arguments,
                                            dist::Communicator& ranks,
                                            at::Device device) {
  VideoTrainOptions options;
  options.depth = arguments.depth;
  options.batch_size = arguments.batch * ranks.size();
  options.clips.size = arguments.size;
  const models::ResNet teacher(models::standard_options(arguments.depth), /*seed=*/0);
  return launcher::make_method(options,
                               ranks,
                               device,
                               std::make_unique<SameClips>(arguments.batch, arguments.size),
                               teacher.state());
}

double seconds_per_step(const Arguments& arguments,
                        dist::Communicator& host_ranks,
                        dist::Communicator& device_ranks,
                        at::Device device) {
  const auto method = make_method(arguments, device_ranks, device);
  TrainingStep training_step(
      *method, {.optimizer = {OptimizerKind::kAdam}}, host_ranks, device_ranks);
  std::vector<double> rounds;
  for (int step = 0; step <= arguments.steps; ++step) {
    device_ranks.barrier();
    const Stopwatch clock;
    training_step.run(step, /*learning_rate=*/1e-5);
    rounds.push_back(clock.seconds());
  }
  return fastest_after_warm_up(rounds);
}

int measure(const Arguments& arguments, dist::Session& session, bool json_only) {
  log::open(session.world().rank, session.world().size);
  at::set_num_threads(arguments.threads);
  const auto host_ranks = dist::make_communicator(session, at::kCPU, {});
  const auto device = dist::choose_device(arguments.device, *host_ranks);
  const auto device_ranks =
      device.is_cpu() ? host_ranks : dist::make_communicator(session, device, {});
  const double seconds = seconds_per_step(arguments, *host_ranks, *device_ranks, device);
  if (!host_ranks->is_root()) return 0;
  print_measurement(text("step 2, ResNet-{}, {} clips of {} pixels per rank: {} ms per step",
                         arguments.depth,
                         arguments.batch,
                         arguments.size,
                         1000 * seconds),
                    {{"benchmark", "step2"},
                     {"depth", arguments.depth},
                     {"size", arguments.size},
                     {"batch", arguments.batch},
                     {"ranks", host_ranks->size()},
                     {"threads", arguments.threads},
                     {"device", dist::device_word(device)},
                     {"seconds_per_step", seconds}},
                    json_only);
  return 0;
}

}  // namespace

Bench step2_bench(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  command.option_defaults()->group("Method");
  command.add_option("--depth", arguments->depth, "Depth of student and teacher")
      ->check(CLI::IsMember({18, 50}));
  command.add_option("--size", arguments->size, "Clip side in pixels, a multiple of 32")
      ->check(CLI::PositiveNumber);
  command.add_option("--batch", arguments->batch, "Clips per rank")->check(CLI::PositiveNumber);
  command.add_option("--steps", arguments->steps, "Timed steps, after one warm-up")
      ->check(CLI::PositiveNumber);
  command.option_defaults()->group("Machine");
  command.add_option("--threads", arguments->threads, "Compute threads per rank")
      ->check(CLI::PositiveNumber);
  command.add_option("--device", arguments->device, "cpu, cuda or auto");
  return [arguments](bool json_only) {
    STC_CHECK_USAGE(
        arguments->size % 32 == 0, "--size is {}; expected a multiple of 32", arguments->size);
    return dist::run_over_ranks(
        [&](dist::Session& session) { return measure(*arguments, session, json_only); });
  };
}

}  // namespace stc::launcher
