// Our side of bench/propagation.sh: one frame's labels from 21 frames, which bench/propagation.py
// computes by dense products. Started by it:
//   stc_bench_propagation CASE FRAMES HALF THREADS
// CASE/N.safetensors holds `features` [C, h, w] and, except for the last N = FRAMES, `labels`
// [K, h, w]. Each line on standard input is answered by computing the labels of the last frame
// once, and a JSON line; at the end of input they are written to CASE/ours.safetensors.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bench/process_cost.h"
#include "data/weights/safetensors.h"
#include "eval/propagation/window_search.h"

namespace stc {
namespace {

std::string frame_file(const std::string& folder, int frame) {
  return folder + "/" + std::to_string(frame) + ".safetensors";
}

std::vector<eval::SearchFrame> read_context(const std::string& folder, int frames) {
  std::vector<eval::SearchFrame> context;
  for (int t = 0; t < frames; ++t) {
    const auto frame = data::read_safetensors(frame_file(folder, t)).tensors;
    context.push_back(eval::make_search_frame(eval::unit_features(frame.at("features")),
                                              frame.at("labels").flatten(1).t().contiguous()));
  }
  return context;
}

int run(const std::string& folder, int frames, std::int64_t half) {
  const auto context = read_context(folder, frames);
  const auto features = data::read_safetensors(frame_file(folder, frames)).tensors.at("features");
  const auto window = eval::square_window(half);
  std::vector<eval::SearchSlot> slots;
  for (const auto& frame : context) slots.push_back({&frame, &window});
  at::Tensor labels;
  bench::answer_each_line([&] {
    // All that a step does: search for the frame, then pack it so that it can be searched.
    auto cost = bench::cost_of([&] {
      const auto unit = eval::unit_features(features);
      labels = eval::search_labels(unit, slots, {});
      eval::make_search_frame(unit, labels);
    });
    cost["megabytes"] = bench::status_megabytes("VmHWM:");
    return cost;
  });
  data::write_safetensors(folder + "/ours.safetensors", {{"labels", labels}});
  return 0;
}

}  // namespace
}  // namespace stc

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: stc_bench_propagation CASE FRAMES HALF THREADS\n");
    return 2;
  }
  at::set_num_threads(std::stoi(argv[4]));
  return stc::run(argv[1], std::stoi(argv[2]), std::stoll(argv[3]));
}
