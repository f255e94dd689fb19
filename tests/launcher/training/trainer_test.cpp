#include "launcher/training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

#include "launcher/run_folder/checkpoint.h"
#include "launcher/run_folder/weights.h"
#include "launcher/training/method.h"
#include "models/resnet.h"
#include "tests/support/devices.h"
#include "tests/support/forwarding_ranks.h"
#include "tests/support/standin_device.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

constexpr std::int64_t kSteps = 6, kBatch = 4, kClips = 2, kSide = 32;

/// What ends a run without a word, as kill -9 does.
struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};

/// Random samples of each step, from `first` on; the one of step `end` is not there any more.
template <typename Batch>
class Samples : public data::Loader<Batch> {
 public:
  Samples(std::int64_t first, std::int64_t end) : step_(first), end_(end) {}
  Batch next() override {
    if (step_ == end_) throw Killed();
    auto random = at::detail::createCPUGenerator(static_cast<std::uint64_t>(step_++));
    const auto pixels = [&](at::IntArrayRef shape) {
      return at::randint(0, 256, shape, random, at::kByte);
    };
    if constexpr (std::is_same_v<Batch, data::ImageBatch>) {
      const std::int64_t shape[] = {kBatch, 3, kSide, kSide};
      return {pixels(shape), pixels(shape), {0, 1, 2, 3}};
    } else {
      const std::int64_t shape[] = {kClips, 2, 3, 2 * kSide, 2 * kSide};
      return {pixels(shape), {}, {0, 1}};  // Lab is made on the device
    }
  }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return kBatch; }

 private:
  std::int64_t step_, end_;
};

struct Step1 {
  using Options = PretrainOptions;
  using Batch = data::ImageBatch;
  static void shorten(Options* options) {
    options->batch_size = kBatch;
    options->images.size = kSide;
    options->spatial.queue_size = 16;
  }
  static std::unique_ptr<TrainingMethod> method(const Options& options,
                                                dist::Communicator& world,
                                                at::Device device,
                                                std::unique_ptr<data::ImageLoader> loader) {
    return make_method(options, world, device, std::move(loader));
  }
};

struct Step2 {
  using Options = VideoTrainOptions;
  using Batch = data::ClipBatch;
  static void shorten(Options* options) {
    options->batch_size = kClips;
    options->clips.size = 2 * kSide;
  }
  static std::unique_ptr<TrainingMethod> method(const Options& options,
                                                dist::Communicator& world,
                                                at::Device device,
                                                std::unique_ptr<data::ClipLoader> loader) {
    const models::ResNet teacher(models::standard_options(18), /*seed=*/0);
    return make_method(options, world, device, std::move(loader), teacher.state());
  }
};

std::int64_t saved_step(const std::string& run) {
  const auto saved = CheckpointStore(run + "/checkpoints", 2).restore().checkpoint;
  return saved ? saved->step : 0;
}

/// As NCCL: serves tensors of the device alone. (Gradients are not summed: the ranks here have
/// equal ones.)
class StandinRanks : public test::ForwardingRanks {
 public:
  using ForwardingRanks::ForwardingRanks;
  void all_reduce(at::Tensor tensor, dist::ReduceOp op) override {
    ranks_.all_reduce(test::host_view(tensor), op);
  }
  std::function<void()> start_all_reduce(at::Tensor tensor, dist::ReduceOp op) override {
    return ranks_.start_all_reduce(test::host_view(tensor), op);
  }
  void broadcast(at::Tensor tensor, int root) override {
    ranks_.broadcast(test::host_view(tensor), root);
  }
  at::Tensor all_gather(const at::Tensor& tensor) override {
    return ranks_.all_gather(test::host_view(tensor)).to(tensor.device());
  }
  at::Tensor all_to_all(const at::Tensor& rows,
                        const std::vector<std::int64_t>& send_rows,
                        const std::vector<std::int64_t>& receive_rows) override {
    return ranks_.all_to_all(test::host_view(rows), send_rows, receive_rows).to(rows.device());
  }
};

template <typename Step>
void set_up(typename Step::Options* options, const std::string& run, at::Device device) {
  options->run_dir = run;
  options->device = c10::DeviceTypeName(device.type(), /*lower_case=*/true);
  options->precision = "float32";
  options->memory_format = "contiguous";
  options->steps = kSteps;
  options->checkpoint_every = 2;
  options->checkpoint_keep = kSteps;
  options->log_every = 1;
  options->metrics_port = -1;
  Step::shorten(options);
}

/// The run in the folder `run`, from its newest checkpoint on; killed before step `end`, if there
/// is such a step. `reads_late`: as on a GPU.
template <typename Step>
void train(const std::string& run,
           at::Device device,
           std::int64_t end = -1,
           std::optional<bool> reads_late = {}) {
  Configuration<typename Step::Options> configuration;
  auto& options = configuration.options;
  set_up<Step>(&options, run, device);
  dist::run_ranks(1, [&](dist::Communicator& world) {
    const auto folder = RunFolder::open(run, configuration.schema, /*fresh=*/false);
    dist::CollectiveLog collectives;
    TrainingJob job{"test", options, device, world, world, collectives, folder.get()};
    job.reads_late = reads_late.value_or(job.reads_late);
    const auto method =
        Step::method(options,
                     world,
                     device,
                     std::make_unique<Samples<typename Step::Batch>>(saved_step(run), end));
    Trainer(job, *method).run();
  });
}

at::Tensor flat(const data::NamedTensors& tensors) {
  std::vector<at::Tensor> all;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.is_floating_point()) all.push_back(tensor.to(at::kDouble).flatten());
  }
  return at::cat(all);
}

class TrainerOn : public test::OnDevice {
 protected:
  template <typename Step>
  void expect_resume_equals_uninterrupted() {
    const test::TemporaryFolder folder;
    const auto whole = folder / "whole", resumed = folder / "resumed";
    train<Step>(whole, device());
    EXPECT_THROW(train<Step>(resumed, device(), 5), Killed);
    const auto first = saved_step(resumed);
    ASSERT_TRUE(first == 2 || first == 4) << first;
    train<Step>(resumed, device());

    const auto expected = read_weights(whole).tensors, own = read_weights(resumed).tensors;
    ASSERT_EQ(own.size(), expected.size());
    if (device().is_cpu()) {
      for (const auto& [name, tensor] : expected)
        EXPECT_TRUE(at::equal(own.at(name), tensor)) << name;
      return;
    }
    // Sums on a GPU have no fixed order, so the runs drift apart; by less than they have moved
    // since the checkpoint, as they would not with another state of the optimizer or other samples.
    const auto at_checkpoint =
        flat(read_weights(text("{}/checkpoints/step-0000000{}", whole, first)).tensors);
    const auto end = flat(expected);
    EXPECT_LT((flat(own) - end).norm().item<double>(),
              0.1 * (end - at_checkpoint).norm().item<double>());
  }
};

TEST_P(TrainerOn, ResumedStep1EqualsTheUninterruptedRun) {
  expect_resume_equals_uninterrupted<Step1>();
}

TEST_P(TrainerOn, ResumedStep2EqualsTheUninterruptedRun) {
  expect_resume_equals_uninterrupted<Step2>();
}

// The lines of metrics.jsonl but for their times.
std::vector<nlohmann::json> numbers_of(const std::string& run) {
  std::ifstream in(run + "/metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(nlohmann::json::parse(line));
    lines.back().erase("seconds");
    lines.back().erase("data_wait_seconds");
  }
  return lines;
}

// Every tensor of a step, of the optimizer and of a checkpoint is where it belongs, or the stand-in
// would refuse; what it computes is what the CPU does.
template <typename Step>
void expect_standin_equals_cpu() {
  const test::TemporaryFolder folder;
  const auto on_cpu = folder / "cpu", on_standin = folder / "standin";
  train<Step>(on_cpu, at::kCPU);
  EXPECT_THROW(train<Step>(on_standin, test::standin(), 5), Killed);
  train<Step>(on_standin, test::standin());
  const auto expected = read_weights(on_cpu).tensors, own = read_weights(on_standin).tensors;
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(at::equal(own.at(name), tensor)) << name;
  EXPECT_EQ(numbers_of(on_standin), numbers_of(on_cpu));
}

TEST(Trainer, RunsStep1AndResumesOnADeviceThatRefusesOthersTensors) {
  expect_standin_equals_cpu<Step1>();
}

TEST(Trainer, RunsStep2AndResumesOnADeviceThatRefusesOthersTensors) {
  expect_standin_equals_cpu<Step2>();
}

/// Two ranks, of which rank 0 alone has the folder, until they are killed before step `end`: what
/// each of them holds then.
std::vector<data::NamedTensors> killed_on_two_ranks(const std::string& run, std::int64_t end) {
  std::vector<data::NamedTensors> states(2);
  dist::run_ranks(2, [&](dist::Communicator& host_ranks) {
    Configuration<PretrainOptions> configuration;
    auto& options = configuration.options;
    set_up<Step1>(&options, run, test::standin());
    const auto first = saved_step(run);
    host_ranks.barrier();
    std::unique_ptr<RunFolder> folder;
    if (host_ranks.is_root()) folder = RunFolder::open(run, configuration.schema, /*fresh=*/false);
    StandinRanks device_ranks(host_ranks);
    dist::CollectiveLog collectives;
    auto loader = std::make_unique<Samples<data::ImageBatch>>(first, end);
    const auto method = Step1::method(options, device_ranks, test::standin(), std::move(loader));
    const auto device = test::standin();
    const TrainingJob job{
        "test", options, device, host_ranks, device_ranks, collectives, folder.get()};
    EXPECT_THROW(Trainer(job, *method).run(), Killed);
    auto state = method->method_state();
    state.merge(method->backbone_state());
    for (const auto& [name, value] : state) states[host_ranks.rank()][name] = value.cpu();
  });
  return states;
}

// The rank without the folder gets all from rank 0: weights and queue over the device's ranks, the
// queue's pointer over the host's.
TEST(Trainer, TwoRanksResumeOverRanksThatRefuseOthersTensors) {
  const test::TemporaryFolder folder;
  killed_on_two_ranks(folder / "run", 5);
  const auto step = saved_step(folder / "run");
  ASSERT_TRUE(step == 2 || step == 4) << step;
  const auto after = killed_on_two_ranks(folder / "run", step);  // that is, before any step
  const auto saved = CheckpointStore(folder / "run/checkpoints", 2).restore().checkpoint;
  auto expected = saved->model;
  expected.insert(saved->method.begin(), saved->method.end());
  EXPECT_EQ(expected.size(), after[1].size());
  for (const auto& rank : after) {
    for (const auto& [name, value] : expected) EXPECT_TRUE(at::equal(rank.at(name), value)) << name;
  }
}

// On a GPU a step's numbers are read when the next one is queued. It changes nothing but when.
TEST(Trainer, ReadsTheSameNumbersAStepLater) {
  const test::TemporaryFolder folder;
  const auto at_once = folder / "at-once", late = folder / "late", resumed = folder / "resumed";
  train<Step2>(at_once, at::kCPU, -1, false);
  train<Step2>(late, at::kCPU, -1, true);
  EXPECT_THROW(train<Step2>(resumed, at::kCPU, 5, true), Killed);
  train<Step2>(resumed, at::kCPU, -1, true);
  const auto expected = read_weights(at_once).tensors;
  for (const auto& run : {late, resumed}) {
    EXPECT_EQ(numbers_of(run), numbers_of(at_once));
    EXPECT_EQ(numbers_of(run).size(), static_cast<std::size_t>(kSteps));
    const auto own = read_weights(run).tensors;
    for (const auto& [name, tensor] : expected)
      EXPECT_TRUE(at::equal(own.at(name), tensor)) << name;
  }
}

// A state on a device is what a checkpoint gives back to it, and what was changed meanwhile is not.
TEST_P(TrainerOn, CheckpointGivesTheOptimizersStateBack) {
  const test::TemporaryFolder folder;
  CheckpointStore store(folder.path(), 2);
  monitoring::Metrics off{{-1, "", 0, "", "", ""}};
  CheckpointWriter writer(store, off);
  const auto weight = leaf(at::randn({8, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast));
  weight.requires_grad_();
  Optimizer optimizer({OptimizerKind::kAdam}, {{"w", weight}});
  const auto step = [&](Optimizer* own) {
    weight.mutable_grad() = at::sin(weight.detach() * 3);
    own->step(0.1, own->gradient_norm(), /*most=*/0);
  };
  step(&optimizer);
  writer.save(1, [&] { return Checkpoint{1, {{"w", weight}}, {}, optimizer.state(), "{}"}; });
  step(&optimizer);
  EXPECT_EQ(writer.wait(), "");
  const auto expected = weight.detach().clone();

  const auto saved = store.restore().checkpoint;
  ASSERT_TRUE(saved.has_value());
  EXPECT_TRUE(saved->model.at("w").is_cpu());
  Optimizer resumed({OptimizerKind::kAdam}, {{"w", weight}});
  models::copy_named(saved->model, {{"w", weight.detach()}}, "test", "a test");
  resumed.load(saved->optimizer, "test");
  EXPECT_FALSE(at::equal(weight.detach(), expected));
  step(&resumed);
  EXPECT_TRUE(at::equal(weight.detach(), expected));
}

INSTANTIATE_TEST_SUITE_P(, TrainerOn, test::kDevices, test::device_name);

}  // namespace
}  // namespace stc::launcher
