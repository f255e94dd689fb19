// Our side of bench/ddp.sh: a ResNet-18 trained by data parallel steps, as bench/ddp.py does it
// with PyTorch's DDP. Run by mpirun:
//   stc_bench_ddp speed WEIGHTS BATCH SIZE STEPS [COMPRESSION [BUCKET_MIB]]      one JSON line
//   stc_bench_ddp gradients WEIGHTS BATCH SIZE OUT           in double, written as safetensors
// BUCKET_MIB of all buckets, the first layers' too.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/weights/safetensors.h"
#include "dist/communicator.h"
#include "launcher/process_start.h"
#include "launcher/training/training_step.h"
#include "models/resnet.h"
#include "monitoring/stopwatch.h"

namespace stc {
namespace {

constexpr int kTopStage = 4;

struct Job {
  std::string mode, weights;
  std::int64_t batch = 0, size = 0;
  std::string last;  // STEPS, or OUT
  dist::ReducerOptions reducer;
};

at::Tensor images_of(const Job& job, int rank, at::ScalarType type) {
  const std::vector<std::int64_t> shape = {job.batch, 3, job.size, job.size};
  const auto index = at::arange(c10::multiply_integers(shape), at::kDouble);
  return at::sin(index * 0.37 + rank).reshape(shape).to(type);
}

models::ResNet model_of(const Job& job, at::ScalarType type) {
  models::ResNet model(models::standard_options(18), /*seed=*/0);
  model.load(data::read_safetensors(job.weights).tensors, job.weights);
  model.to(at::kCPU, type);
  model.set_requires_grad(true);
  return model;
}

at::Tensor loss_of(const models::ResNet& model, const at::Tensor& images) {
  const auto top = model.forward(images, kTopStage, kTopStage, models::BatchNormMode::kTrain)[0];
  return top.mean({2, 3}).square().mean();
}

/// The network and its loss on the same images at every step, as a training step sees them.
class SameImages : public launcher::TrainingMethod {
 public:
  SameImages(const Job& job, int rank, at::ScalarType type)
      : model_(model_of(job, type)), images_(images_of(job, rank, type)) {}
  void start(std::int64_t) override {}
  void fetch(launcher::MicroBatch) override {}
  launcher::StepOutcome forward(launcher::MicroBatch) override {
    return {.total = loss_of(model_, images_)};
  }
  models::NamedTensorList parameters() const override { return model_.parameters(); }
  std::map<std::string, data::NamedTensors> shared_state() const override { return {}; }
  data::NamedTensors backbone_state() const override { return model_.state(); }
  data::InputColour input_colour() const override { return data::InputColour::kRgb; }
  data::NamedTensors method_state() const override { return {}; }
  void load(const data::NamedTensors&, const data::NamedTensors&, const std::string&) override {}
  std::int64_t epoch_size() const override { return images_.size(0); }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t ready_batches() const override { return 0; }

 private:
  models::ResNet model_;
  at::Tensor images_;
};

struct Cost {
  double seconds, cpu_seconds;  // the latter of all threads of the process
};

/// Of the slower rank; ranks start together.
template <typename Step>
Cost cost_of(dist::Communicator& world, const Step& step) {
  world.barrier();
  const Stopwatch clock;
  const auto cpu_start = std::clock();
  step();
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const auto slowest = at::tensor({clock.seconds(), cpu}, at::kDouble);
  world.all_reduce(slowest, dist::ReduceOp::kMax);
  return {slowest[0].item<double>(), slowest[1].item<double>()};
}

Cost least(const std::vector<Cost>& costs) {
  Cost result = costs[0];
  for (const Cost& cost : costs) {
    result.seconds = std::min(result.seconds, cost.seconds);
    result.cpu_seconds = std::min(result.cpu_seconds, cost.cpu_seconds);
  }
  return result;
}

// A step with reduction and the same step without, in turn, so that other load meets both; the
// fastest of each counts.
void measure_speed(const Job& job, dist::Communicator& world) {
  SameImages method(job, world.rank(), at::kFloat);
  launcher::TrainingStep training_step(method, {.reducer = job.reducer}, world, world);
  using Reduction = launcher::TrainingStep::Reduction;
  std::vector<Cost> with, without;
  const int steps = std::stoi(job.last), warm_up = 3;
  for (int i = 0; i < warm_up + steps; ++i) {
    const Cost reduced =
        cost_of(world, [&] { training_step.compute_gradients(i, Reduction::kMean); });
    const Cost alone =
        cost_of(world, [&] { training_step.compute_gradients(i, Reduction::kNone); });
    if (i < warm_up) continue;
    with.push_back(reduced);
    without.push_back(alone);
  }
  if (!world.is_root()) return;
  const nlohmann::json line = {{"seconds", least(with).seconds},
                               {"alone", least(without).seconds},
                               {"cpu", least(with).cpu_seconds},
                               {"alone_cpu", least(without).cpu_seconds}};
  std::cout << line.dump() << "\n";
}

void write_gradients(const Job& job, dist::Communicator& world) {
  SameImages method(job, world.rank(), at::kDouble);
  launcher::TrainingStep(method, {}, world, world).compute_gradients(/*step=*/0);
  if (!world.is_root()) return;
  data::NamedTensors gradients;
  for (const auto& [name, parameter] : method.parameters()) gradients[name] = parameter.grad();
  data::write_safetensors(job.last, gradients);
}

int run(const Job& job) {
  dist::Session session;
  at::set_num_threads(1);
  const auto world = dist::make_communicator(session, at::kCPU, {});
  if (job.mode == "speed") {
    measure_speed(job, *world);
  } else {
    write_gradients(job, *world);
  }
  return 0;
}

}  // namespace
}  // namespace stc

int main(int argc, char** argv) {
  stc::launcher::start_with_settings(argv);  // as stc does
  if (argc < 6 || argc > 8) {
    std::fprintf(stderr, "stc_bench_ddp: the head of bench/ddp.cpp lists its arguments\n");
    return 2;
  }
  stc::Job job{argv[1], argv[2], std::stoll(argv[3]), std::stoll(argv[4]), argv[5], {}};
  if (argc > 6) job.reducer.compression = argv[6];
  if (argc > 7) job.reducer.bucket_mib = job.reducer.first_bucket_mib = std::stod(argv[7]);
  return stc::run(job);
}
