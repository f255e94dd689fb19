// `stc bench propagation`: the labels of one frame out of a full context, on random features.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "eval/propagation/window_search.h"
#include "launcher/checks/bench.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

struct Arguments {
  int depth = 18;
  int stride = 8;
  std::int64_t width = 854;
  int frames = 3, threads = 1;
  bool json = false;
};

constexpr std::int64_t kHeight = 480;  // pixels, as DAVIS has them
constexpr int kContext = 21, kLabels = 4;

struct Case {
  std::vector<std::int64_t> size;  // [C, h, w]
  eval::SearchWindow window;
  std::vector<eval::SearchFrame> context;
};

Case make_case(const Arguments& arguments) {
  at::manual_seed(0);
  const auto cells = [&](std::int64_t pixels) {
    return (pixels + arguments.stride - 1) / arguments.stride;
  };
  Case made;
  made.size = {arguments.depth == 18 ? 256 : 1024, cells(kHeight), cells(arguments.width)};
  made.window = eval::square_window(arguments.stride == 8 ? 12 : 35);
  for (int t = 0; t < kContext; ++t) {
    const auto features = eval::unit_features(at::rand(made.size));
    made.context.push_back(
        eval::make_search_frame(features, at::rand({made.size[1] * made.size[2], kLabels})));
  }
  return made;
}

// All that a step of label propagation does; the fastest of the frames, after one that warms up.
double seconds_per_frame(const Case& made, int frames) {
  std::vector<eval::SearchSlot> slots;
  for (const auto& frame : made.context) slots.push_back({&frame, &made.window});
  double fastest = std::numeric_limits<double>::infinity();
  for (int t = 0; t <= frames; ++t) {
    const auto features = at::rand(made.size);
    const auto start = std::chrono::steady_clock::now();
    const auto unit = eval::unit_features(features);
    const auto labels = eval::search_labels(unit, slots, {});
    const auto searched_next = eval::make_search_frame(unit, labels);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (t > 0) fastest = std::min(fastest, taken.count());
  }
  return fastest;
}

int measure(const Arguments& arguments) {
  at::set_num_threads(arguments.threads);
  const auto made = make_case(arguments);
  const double seconds = seconds_per_frame(made, arguments.frames);
  const auto context_bytes = kContext * static_cast<std::int64_t>(made.context[0].keys.nbytes() +
                                                                  made.context[0].labels.nbytes());
  const nlohmann::ordered_json result = {{"benchmark", "propagation"},
                                         {"depth", arguments.depth},
                                         {"stride", arguments.stride},
                                         {"channels", made.size[0]},
                                         {"height", made.size[1]},
                                         {"width", made.size[2]},
                                         {"context_frames", kContext},
                                         {"context_bytes", context_bytes},
                                         {"threads", arguments.threads},
                                         {"seconds_per_frame", seconds}};
  if (!arguments.json) {
    std::cout << text(
        "label propagation, ResNet-{}, stride {}, {}x{} pixels, {} frames of context ({} MiB): {} "
        "ms a frame\n",
        arguments.depth,
        arguments.stride,
        kHeight,
        arguments.width,
        kContext,
        context_bytes >> 20,
        1000 * seconds);
  }
  std::cout << result.dump() << "\n";
  return 0;
}

}  // namespace

void add_bench_propagation(CLI::App& bench, Action& action) {
  auto* command = bench.add_subcommand(
      "propagation", "Labels of one frame out of 21, on random features: the search and the vote");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--depth", arguments->depth, "18: 256 channels; 50: 1024")
      ->check(CLI::IsMember({18, 50}));
  command->add_option("--stride", arguments->stride, "8, or 4 with its wider window")
      ->check(CLI::IsMember({8, 4}));
  command->add_option("--width", arguments->width, "Of the frame, in pixels; the height is 480")
      ->check(CLI::Range(8, 8192));
  command->add_option("--frames", arguments->frames, "Timed ones, after one that warms up")
      ->check(CLI::PositiveNumber);
  command->add_option("--threads", arguments->threads, "Compute threads")
      ->check(CLI::PositiveNumber);
  command->add_flag("--json", arguments->json, "Print the JSON line alone");
  command->callback([arguments, &action] { action = [arguments] { return measure(*arguments); }; });
}

}  // namespace stc::launcher
