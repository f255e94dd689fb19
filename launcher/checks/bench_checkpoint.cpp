// `stc bench checkpoint`: how long a save holds up training, compared with one memcpy of the same
// bytes and with a save that training waits for.
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "launcher/checks/bench.h"
#include "launcher/run_folder/checkpoint_writer.h"
#include "launcher/run_folder/scratch_folder.h"
#include "launcher/training/optimizer.h"
#include "models/spatial_model.h"
#include "monitoring/check.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

struct Arguments {
  int depth = 50;
  std::int64_t queue = 65536;
  int repeats = 5;
  std::string folder = ".";
};

double seconds_of(const std::function<void()>& body) {
  const Stopwatch stopwatch;
  body();
  return stopwatch.seconds();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::vector<at::Tensor> tensors_of(const Checkpoint& state) {
  std::vector<at::Tensor> tensors;
  for (const auto* part : {&state.model, &state.method, &state.optimizer})
    for (const auto& [name, tensor] : *part) tensors.push_back(tensor);
  return tensors;
}

void copy(const std::vector<at::Tensor>& tensors, char* to) {
  for (const auto& tensor : tensors) {
    std::memcpy(to, tensor.const_data_ptr(), tensor.nbytes());
    to += tensor.nbytes();
  }
}

std::size_t bytes_of(const std::vector<at::Tensor>& tensors) {
  std::size_t bytes = 0;
  for (const auto& tensor : tensors) bytes += tensor.nbytes();
  return bytes;
}

struct RoundSeconds {
  std::vector<double> copy, stall, written, synchronous;
};

// All in each round, so that other load on the machine affects them alike. The first round is the
// warm-up: it allocates the buffers.
RoundSeconds measure(const Arguments& arguments, const Checkpoint& state) {
  const auto tensors = tensors_of(state);
  std::vector<char> buffer(bytes_of(tensors));
  const ScratchFolder folder(arguments.folder, "--folder");
  CheckpointStore behind(folder.path() + "/behind", 2), waited_for(folder.path() + "/waited", 2);
  monitoring::MetricsOptions none;
  none.port = -1;
  monitoring::Metrics off(none);
  CheckpointWriter writer(behind, off);
  RoundSeconds seconds;
  for (int round = 0; round <= arguments.repeats; ++round) {
    const double copied = seconds_of([&] { copy(tensors, buffer.data()); });
    std::string failure;
    double stall = 0;
    const double written = seconds_of([&] {
      stall = seconds_of([&] { writer.save(round, [&] { return state; }); });
      failure = writer.wait();
    });
    STC_CHECK(failure.empty(), "{}", failure);
    const double synchronous = seconds_of([&] { waited_for.save(state); });
    if (round == 0) continue;
    seconds.copy.push_back(copied);
    seconds.stall.push_back(stall);
    seconds.written.push_back(written);
    seconds.synchronous.push_back(synchronous);
  }
  return seconds;
}

std::string words_of(const nlohmann::ordered_json& result) {
  const auto number = [&](const char* key) { return result.at(key).get<double>(); };
  const auto row = [&](const char* what, const char* key) {
    const double seconds = number(key);
    return text("\n  {}: {} s, {} x memcpy", what, seconds, seconds / number("memcpy_seconds"));
  };
  return text("state of ResNet-{} MoCo, queue {}, SGD: {} MB; medians of {}",
              result.at("depth").dump(),
              result.at("queue").dump(),
              std::lround(number("bytes") / 1e6),
              result.at("repeats").dump()) +
         row("one memcpy into an allocated buffer", "memcpy_seconds") +
         row("training stalled by a save (copy; a thread writes)", "stall_seconds") +
         row("until that save is on disk", "written_seconds") +
         row("training stalled by a save that it waits for", "synchronous_seconds");
}

int bench_checkpoint(const Arguments& arguments, bool json_only) {
  models::SpatialOptions options;
  options.queue_size = arguments.queue;
  const models::SpatialModel model(arguments.depth, options, /*seed=*/1);
  const Optimizer optimizer({OptimizerKind::kSgd}, model.query.parameters());
  const Checkpoint state{
      1, model.query.trunk.state(), model.method_state(), optimizer.state(), "{}\n"};
  const RoundSeconds seconds = measure(arguments, state);
  const double copy = median(seconds.copy), stall = median(seconds.stall);
  const double synchronous = median(seconds.synchronous);
  const nlohmann::ordered_json result = {{"benchmark", "checkpoint"},
                                         {"depth", arguments.depth},
                                         {"queue", arguments.queue},
                                         {"repeats", arguments.repeats},
                                         {"bytes", bytes_of(tensors_of(state))},
                                         {"memcpy_seconds", copy},
                                         {"stall_seconds", stall},
                                         {"written_seconds", median(seconds.written)},
                                         {"synchronous_seconds", synchronous},
                                         {"stall_over_memcpy", stall / copy},
                                         {"synchronous_over_stall", synchronous / stall}};
  print_measurement(words_of(result), result, json_only);
  return 0;
}

}  // namespace

Bench checkpoint_bench(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  command.option_defaults()->group("Method");
  command.add_option("--depth", arguments->depth, "Depth of the ResNet")
      ->check(CLI::IsMember({18, 50}));
  command.add_option("--queue", arguments->queue, "Keys in the queue")
      ->check(CLI::Range(1, 1 << 24));
  command.add_option("--repeats", arguments->repeats, "Timed rounds, after one warm-up")
      ->check(CLI::Range(1, 1000));
  command.option_defaults()->group("Machine");
  command
      .add_option("--folder",
                  arguments->folder,
                  "A folder on the disk to measure; what is written there is removed")
      ->check(CLI::ExistingDirectory);
  return [arguments](bool json_only) { return bench_checkpoint(*arguments, json_only); };
}

}  // namespace stc::launcher
