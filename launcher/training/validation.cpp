#include "launcher/training/validation.h"

#include <ATen/ATen.h>

#include <cstdio>
#include <vector>

#include "data/benchmarks/davis.h"
#include "eval/jobs/benchmarks.h"
#include "eval/scores/davis_scores.h"
#include "launcher/run_folder/scratch_folder.h"
#include "models/arithmetic_flags.h"
#include "models/resnet.h"
#include "monitoring/activity.h"
#include "monitoring/check.h"
#include "monitoring/log.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

constexpr int kStride = 8;
constexpr std::int64_t kHalfWindow = 12;  // cells, as of published numbers at this stride

std::vector<data::DavisSequence> open_clips(const ValidationOptions& options) {
  auto clips = data::open_davis(options.data, {.split = options.split});
  if (options.clips > 0 && options.clips < static_cast<std::int64_t>(clips.size()))
    clips.erase(clips.begin() + options.clips, clips.end());
  for (const auto& clip : clips) eval::check_scorable(clip);
  return clips;
}

// The sums of J and F over one clip's objects, and the number of objects.
at::Tensor sums_of(const eval::Json& record) {
  double j = 0, f = 0;
  for (const auto& object : record.at("objects")) {
    j += eval::statistics_of(object.at("j").get<std::vector<double>>()).mean;
    f += eval::statistics_of(object.at("f").get<std::vector<double>>()).mean;
  }
  return at::tensor({j, f, static_cast<double>(record.at("objects").size())}, at::kDouble);
}

}  // namespace

std::string to_text(const ValidationResult& result) {
  char numbers[64];
  const double jf = 100 * result.jf(), j = 100 * result.j, f = 100 * result.f;
  std::snprintf(numbers, sizeof(numbers), "J&F %.1f (J %.1f, F %.1f", jf, j, f);
  return text("{}; {}{}", numbers, result.clips, result.clips == 1 ? " clip)" : " clips)");
}

struct Validation::State {
  State(const ValidationOptions& options,
        int depth,
        data::InputColour colour,
        at::Device device,
        dist::Communicator& ranks)
      : world(ranks),
        trunk(models::propagation_options(depth, kStride), 0),
        clips(open_clips(options)) {
    trunk.to(device, at::kFloat);
    trunk.set_requires_grad(false);
    input.short_side = options.short_side;
    input.colour = colour;
    video.propagation.half_window = kHalfWindow;
  }

  // Parameters are equal on all ranks, but in step 1 each has its own running statistics; rank 0's
  // are those that are saved.
  void load(const data::NamedTensors& weights) {
    trunk.load(weights, "the weights in training");
    for (const auto& [name, buffer] : trunk.buffers()) {
      const auto shared = buffer.to(at::kCPU).contiguous();
      world.broadcast(shared, 0);
      buffer.copy_(shared);
    }
  }

  // [clips, 3] of sums_of(); zeros for the other ranks' clips and for those that failed.
  at::Tensor evaluate_own() const {
    // On this rank's own disk, for the masks between propagation and scoring.
    const ScratchFolder scratch(temporary_parent(), "the masks of the probe (TMPDIR)");
    const auto benchmark = eval::davis_benchmark(clips, {trunk, {{video, scratch.path()}}, input});
    const auto on_frame = [](const std::string&, std::int64_t, std::int64_t) {
      activity::enter(activity::Phase::kProbe);
    };
    const auto count = static_cast<std::int64_t>(clips.size());
    auto sums = at::zeros({count, 3}, at::kDouble);
    for (std::int64_t i = world.rank(); i < count; i += world.size()) {
      try {
        sums[i].copy_(sums_of(benchmark.evaluate(i, on_frame).front()));
      } catch (const Error& error) {
        log::error("the probe gave no score this time: {}", error.what());
      }
    }
    return sums;
  }

  dist::Communicator& world;
  models::ResNet trunk;
  std::vector<data::DavisSequence> clips;
  eval::InputOptions input;
  eval::VideoOptions video;
};

Validation::Validation(const ValidationOptions& options,
                       int depth,
                       data::InputColour colour,
                       at::Device device,
                       dist::Communicator& world)
    : state_(std::make_unique<State>(options, depth, colour, device, world)) {}
Validation::~Validation() = default;

std::optional<ValidationResult> Validation::evaluate(const data::NamedTensors& weights) {
  const Stopwatch clock;
  activity::enter(activity::Phase::kProbe);
  // The numbers of `stc eval`, whatever the training computes in.
  const models::ScopedArithmeticFlags exact({});
  state_->load(weights);
  const auto sums = state_->evaluate_own();
  state_->world.all_reduce(sums);  // each row is one rank's, so no order of adding shows
  const double seconds = clock.seconds();
  if ((sums.select(1, 2) == 0).any().item<bool>()) return std::nullopt;
  const auto total = sums.sum(0);
  const double objects = total[2].item<double>();
  return ValidationResult{
      total[0].item<double>() / objects, total[1].item<double>() / objects, sums.size(0), seconds};
}

}  // namespace stc::launcher
