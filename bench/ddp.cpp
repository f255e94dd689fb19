// Our side of bench/ddp.sh: a ResNet-18 trained by data parallel steps, as bench/ddp.py does it
// with PyTorch's DDP. Run by mpirun:
//   stc_bench_ddp speed WEIGHTS BATCH SIZE STEPS [COMPRESSION [BUCKET_MIB]]      one JSON line
//   stc_bench_ddp gradients WEIGHTS BATCH SIZE OUT           in double, written as safetensors
// BUCKET_MIB of all buckets, the first layers' too.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/weights/safetensors.h"
#include "dist/communicator.h"
#include "dist/gradient_reducer.h"
#include "launcher/process_start.h"
#include "models/resnet.h"
#include "monitoring/check.h"

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

struct Cost {
  double seconds, cpu_seconds;  // the latter of all threads of the process
};

/// Of the slower rank; ranks start together.
template <typename Step>
Cost cost_of(dist::Communicator& world, const Step& step) {
  world.barrier();
  const auto start = std::chrono::steady_clock::now();
  const auto cpu_start = std::clock();
  step();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const auto slowest = at::tensor({taken.count(), cpu}, at::kDouble);
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
  const auto model = model_of(job, at::kFloat);
  const auto images = images_of(job, world.rank(), at::kFloat);
  dist::GradientReducer reducer(model.parameters(), world, job.reducer);
  std::vector<Cost> with, without;
  const int steps = std::stoi(job.last), warm_up = 3;
  for (int i = 0; i < warm_up + steps; ++i) {
    const Cost reduced = cost_of(world, [&] {
      reducer.zero();
      reducer.backward(loss_of(model, images));
    });
    const Cost alone = cost_of(world, [&] {
      reducer.zero();
      reducer.accumulate(loss_of(model, images));
    });
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
  const auto model = model_of(job, at::kDouble);
  const auto images = images_of(job, world.rank(), at::kDouble);
  dist::GradientReducer reducer(model.parameters(), world, {});
  reducer.backward(loss_of(model, images));
  if (!world.is_root()) return;
  data::NamedTensors gradients;
  for (const auto& [name, parameter] : model.parameters()) gradients[name] = parameter.grad();
  data::write_safetensors(job.last, gradients);
}

int run(const Job& job) {
  dist::Session session;
  at::set_num_threads(1);
  const auto world = dist::make_communicator(session, "cpu", {});
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
