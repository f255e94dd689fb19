// `stc bench checkpoint`: for how long a save holds up training, beside one memcpy of the same
// bytes and beside a save that training waits for.
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
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

namespace stc::launcher {
namespace {

struct Arguments {
  int depth = 50;
  std::int64_t queue = 65536;
  int repeats = 5;
  std::string folder = ".";
  bool json = false;
};

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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

class KeptBuffer {
 public:
  explicit KeptBuffer(const std::vector<at::Tensor>& tensors) : tensors_(tensors) {
    std::size_t bytes = 0;
    for (const auto& tensor : tensors_) bytes += tensor.nbytes();
    buffer_.resize(bytes);
  }
  std::size_t bytes() const { return buffer_.size(); }
  void copy() {
    char* to = buffer_.data();
    for (const auto& tensor : tensors_) {
      std::memcpy(to, tensor.const_data_ptr(), tensor.nbytes());
      to += tensor.nbytes();
    }
  }

 private:
  std::vector<at::Tensor> tensors_;
  std::vector<char> buffer_;
};

struct Seconds {
  std::vector<double> copy, stall, written, synchronous;
};

// Side by side in each round, so that what else the machine does meets all alike. The first round
// is the warm-up: buffers are allocated in it.
Seconds measure(const Arguments& arguments, const Checkpoint& state, KeptBuffer& buffer) {
  const ScratchFolder folder(arguments.folder, "--folder");
  CheckpointStore behind(folder.path() + "/behind", 2), waited_for(folder.path() + "/waited", 2);
  monitoring::MetricsOptions none;
  none.port = -1;
  monitoring::Metrics off(none);
  CheckpointWriter writer(behind, off);
  Seconds seconds;
  for (int round = 0; round <= arguments.repeats; ++round) {
    const double copy = seconds_of([&] { buffer.copy(); });
    std::string failure;
    double stall = 0;
    const double written = seconds_of([&] {
      stall = seconds_of([&] { writer.save(round, [&] { return state; }); });
      failure = writer.wait();
    });
    STC_CHECK(failure.empty(), "{}", failure);
    const double synchronous = seconds_of([&] { waited_for.save(state); });
    if (round == 0) continue;
    seconds.copy.push_back(copy);
    seconds.stall.push_back(stall);
    seconds.written.push_back(written);
    seconds.synchronous.push_back(synchronous);
  }
  return seconds;
}

void print(const nlohmann::ordered_json& result) {
  const auto number = [&](const char* key) { return result.at(key).get<double>(); };
  std::printf("state of ResNet-%d MoCo, queue %lld, SGD: %.0f MB; medians of %d\n",
              result.at("depth").get<int>(),
              result.at("queue").get<long long>(),
              number("bytes") / 1e6,
              result.at("repeats").get<int>());
  const double copy = number("memcpy_seconds");
  const auto row = [&](const char* what, const char* key) {
    std::printf("  %-46s %9.4f s  %8.2f x memcpy\n", what, number(key), number(key) / copy);
  };
  row("one memcpy into a kept buffer", "memcpy_seconds");
  row("stall of a save (copy; a thread writes)", "stall_seconds");
  row("the same until it is on the disk", "written_seconds");
  row("stall of a save that is waited for", "synchronous_seconds");
}

int bench_checkpoint(const Arguments& arguments) {
  models::SpatialOptions options;
  options.depth = arguments.depth;
  options.queue_size = arguments.queue;
  const models::SpatialModel model(options, /*seed=*/1);
  const Optimizer optimizer({OptimizerKind::kSgd}, model.query.parameters());
  const Checkpoint state{
      1, model.query.trunk.state(), model.method_state(), optimizer.state(), "{}\n"};
  KeptBuffer buffer(tensors_of(state));
  const Seconds seconds = measure(arguments, state, buffer);

  nlohmann::ordered_json result;
  result["benchmark"] = "checkpoint";
  result["depth"] = arguments.depth;
  result["queue"] = arguments.queue;
  result["repeats"] = arguments.repeats;
  result["bytes"] = buffer.bytes();
  result["memcpy_seconds"] = median(seconds.copy);
  result["stall_seconds"] = median(seconds.stall);
  result["written_seconds"] = median(seconds.written);
  result["synchronous_seconds"] = median(seconds.synchronous);
  result["stall_over_memcpy"] = median(seconds.stall) / median(seconds.copy);
  result["synchronous_over_stall"] = median(seconds.synchronous) / median(seconds.stall);
  if (!arguments.json) print(result);
  std::printf("%s\n", result.dump().c_str());
  return 0;
}

}  // namespace

void add_bench_checkpoint(CLI::App& bench, Action& action) {
  auto* command = bench.add_subcommand(
      "checkpoint",
      "For how long a save holds up training: step 1's state, beside one memcpy of it and beside a "
      "save that training waits for");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--depth", arguments->depth, "Of the ResNet")
      ->check(CLI::IsMember({18, 50}))
      ->capture_default_str();
  command->add_option("--queue", arguments->queue, "Keys")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  command->add_option("--repeats", arguments->repeats, "Rounds after one warm-up")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--folder",
                   arguments->folder,
                   "A folder on the disk to measure; what is written there is removed")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print the JSON line alone");
  command->callback(
      [arguments, &action] { action = [arguments] { return bench_checkpoint(*arguments); }; });
}

}  // namespace stc::launcher
