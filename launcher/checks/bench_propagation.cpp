// `stc bench propagation`: the labels of one frame out of a full context, on random features.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "eval/propagation/window_search.h"
#include "launcher/checks/bench.h"
#include "launcher/config/usage_error.h"
#include "monitoring/check.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

struct Arguments {
  int depth = 18;
  int stride = 8;
  std::int64_t width = 854;
  int frames = 3, threads = 1;
};

constexpr std::int64_t kHeight = 480;  // pixels, as in DAVIS
constexpr int kContext = 21, kLabels = 4;

struct SearchCase {
  std::vector<std::int64_t> size;  // [C, h, w]
  eval::SearchWindow window;
  std::vector<eval::SearchFrame> context;
};

SearchCase make_case(const Arguments& arguments) {
  at::manual_seed(0);
  const auto cells = [&](std::int64_t pixels) {
    return (pixels + arguments.stride - 1) / arguments.stride;
  };
  SearchCase made;
  made.size = {arguments.depth == 18 ? 256 : 1024, cells(kHeight), cells(arguments.width)};
  made.window = eval::square_window(arguments.stride == 8 ? 12 : 35);
  for (int t = 0; t < kContext; ++t) {
    const auto features = eval::unit_features(at::rand(made.size));
    made.context.push_back(
        eval::make_search_frame(features, at::rand({made.size[1] * made.size[2], kLabels})));
  }
  return made;
}

// All that label propagation does for one frame.
double seconds_per_frame(const SearchCase& made, int frames) {
  std::vector<eval::SearchSlot> slots;
  for (const auto& frame : made.context) slots.push_back({&frame, &made.window});
  std::vector<double> rounds;
  for (int t = 0; t <= frames; ++t) {
    const auto features = at::rand(made.size);
    const Stopwatch stopwatch;
    const auto unit = eval::unit_features(features);
    const auto labels = eval::search_labels(unit, slots, {});
    const auto searched_next = eval::make_search_frame(unit, labels);
    rounds.push_back(stopwatch.seconds());
  }
  return fastest_after_warm_up(rounds);
}

int measure(const Arguments& arguments, bool json_only) {
  at::set_num_threads(arguments.threads);
  const auto made = make_case(arguments);
  const double seconds = seconds_per_frame(made, arguments.frames);
  const auto context_bytes = kContext * static_cast<std::int64_t>(made.context[0].keys.nbytes() +
                                                                  made.context[0].labels.nbytes());
  print_measurement(
      text("label propagation, ResNet-{}, stride {}, {}x{} pixels, {} context frames ({} MiB): {} "
           "ms per frame",
           arguments.depth,
           arguments.stride,
           kHeight,
           arguments.width,
           kContext,
           context_bytes >> 20,
           1000 * seconds),
      {{"benchmark", "propagation"},
       {"depth", arguments.depth},
       {"stride", arguments.stride},
       {"channels", made.size[0]},
       {"height", made.size[1]},
       {"width", made.size[2]},
       {"context_frames", kContext},
       {"context_bytes", context_bytes},
       {"threads", arguments.threads},
       {"seconds_per_frame", seconds}},
      json_only);
  return 0;
}

}  // namespace

Bench propagation_bench(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  command.option_defaults()->group("Method");
  command
      .add_option(
          "--depth", arguments->depth, "Depth of the ResNet: 18 has 256 channels, 50 has 1024")
      ->check(CLI::IsMember({18, 50}));
  command
      .add_option(
          "--stride", arguments->stride, "Feature stride in pixels; 4 searches a wider window")
      ->check(CLI::IsMember({8, 4}));
  command.add_option("--width", arguments->width, "Frame width in pixels; the height is 480")
      ->check(CLI::Range(8, 8192));
  command.add_option("--frames", arguments->frames, "Timed frames, after one warm-up")
      ->check(above_zero());
  command.option_defaults()->group("Machine");
  command.add_option("--threads", arguments->threads, "Compute threads")->check(above_zero());
  return [arguments](bool json_only) { return measure(*arguments, json_only); };
}

}  // namespace stc::launcher
