// Our side of bench/losses.sh: the losses of step 2 on given features, and their gradients. Started
// by bench/losses.py:
//   stc_bench_losses CASE THREADS
// CASE/case.safetensors holds level0, level1, level2, teacher and lab (models/temporal_loss.h). For
// each line on standard input forward and backward once: a JSON line; at its end losses and
// gradients are written to CASE/ours.safetensors.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>
#include <string>

#include "bench/process_cost.h"
#include "data/weights/safetensors.h"
#include "launcher/process_start.h"
#include "models/temporal_loss.h"

namespace stc {
namespace {

models::TemporalInputs read_case(const std::string& folder) {
  const auto tensors = data::read_safetensors(folder + "/case.safetensors").tensors;
  models::TemporalInputs inputs;
  for (std::size_t i = 0; i < inputs.levels.size(); ++i)
    inputs.levels[i] = tensors.at("level" + std::to_string(i)).clone().requires_grad_();
  inputs.teacher = tensors.at("teacher").clone();
  inputs.lab = tensors.at("lab").clone();
  return inputs;
}

int run(const std::string& folder) {
  auto inputs = read_case(folder);
  bench::restart_peak();
  const double before = bench::status_megabytes("VmRSS:");
  models::TemporalLosses losses;
  bench::answer_each_line([&] {
    for (auto& level : inputs.levels) level.mutable_grad().reset();
    auto cost = bench::cost_of([&] {
      losses = models::temporal_losses(inputs, {});
      losses.total.backward();
    });
    cost["megabytes"] = bench::status_megabytes("VmHWM:") - before;
    return cost;
  });
  data::write_safetensors(folder + "/ours.safetensors",
                          {{"total", losses.total.detach()},
                           {"grad0", inputs.levels[0].grad()},
                           {"grad1", inputs.levels[1].grad()},
                           {"grad2", inputs.levels[2].grad()}});
  return 0;
}

}  // namespace
}  // namespace stc

int main(int argc, char** argv) {
  stc::launcher::start_with_settings(argv);  // as stc does
  if (argc != 3) {
    std::fprintf(stderr, "stc_bench_losses CASE THREADS\n");
    return 2;
  }
  at::set_num_threads(std::stoi(argv[2]));
  return stc::run(argv[1]);
}
