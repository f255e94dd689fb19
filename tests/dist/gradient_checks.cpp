#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>

#include "dist/collective_log.h"
#include "dist/gradient_reducer.h"
#include "dist/group_communicator.h"
#include "monitoring/check.h"
#include "tests/dist/world_checks.h"

namespace stc::dist {
namespace {

using testing::HasSubstr;

constexpr double kRate = 0.1;

at::Tensor waves(at::IntArrayRef shape, double phase, at::ScalarType type) {
  const at::Tensor index = at::arange(c10::multiply_integers(shape), at::kDouble);
  return at::sin(index * 0.7 + phase).reshape(shape).to(type);
}

/// Two layers; with `second` of another type than `first`, the model mixes types.
std::vector<at::Tensor> make_weights(double phase,
                                     at::ScalarType first,
                                     at::ScalarType second,
                                     at::Device device) {
  std::vector<at::Tensor> weights = {waves({6, 5}, phase, first),
                                     waves({5}, phase + 1, first),
                                     waves({5, 3}, phase + 2, second),
                                     waves({3}, phase + 3, second)};
  for (at::Tensor& weight : weights) weight = weight.to(device).set_requires_grad(true);
  return weights;
}

at::Tensor loss_of(const std::vector<at::Tensor>& weights, int rank, int step) {
  const at::Tensor input =
      waves({4, 6}, 10.0 * rank + step, weights[0].scalar_type()).to(weights[0].device());
  const at::Tensor hidden = at::tanh(at::matmul(input, weights[0]) + weights[1]);
  const at::Tensor output =
      at::matmul(hidden.to(weights[2].scalar_type()), weights[2]) + weights[3];
  return at::square(output).mean() * (rank + 1);
}

GradientReducer::Parameters named(const std::vector<at::Tensor>& weights) {
  GradientReducer::Parameters parameters;
  for (const at::Tensor& weight : weights) {
    parameters.emplace_back("weight" + std::to_string(parameters.size()), weight);
  }
  return parameters;
}

/// The slow twin: every rank's gradient on one rank, and their mean.
std::vector<at::Tensor> mean_gradients(const std::vector<at::Tensor>& weights,
                                       int ranks,
                                       int step) {
  std::vector<at::Tensor> mean;
  for (const at::Tensor& weight : weights) mean.push_back(at::zeros_like(weight.detach()));
  for (int rank = 0; rank < ranks; ++rank) {
    std::vector<at::Tensor> copies;
    for (const at::Tensor& weight : weights) {
      copies.push_back(weight.detach().clone().set_requires_grad(true));
    }
    loss_of(copies, rank, step).backward();
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += copies[i].grad() / ranks;
  }
  return mean;
}

void descend(const std::vector<at::Tensor>& weights) {
  const at::NoGradGuard no_grad;
  for (const at::Tensor& weight : weights) weight.detach().sub_(weight.grad() * kRate);
}

double tolerance(at::ScalarType type) { return type == at::kDouble ? 1e-14 : 1e-6; }

void train_and_compare(Communicator& world,
                       at::Device device,
                       at::ScalarType first,
                       at::ScalarType second) {
  const std::vector<at::Tensor> weights = make_weights(world.rank(), first, second, device);
  ReducerOptions options;
  options.first_bucket_mib = 1e-5;  // ten bytes: a bucket for each tensor
  options.bucket_mib = 1e-5;
  GradientReducer reducer(named(weights), world, options);
  for (int step = 0; step < 5; ++step) {
    const auto expected = mean_gradients(weights, world.size(), step);
    reducer.zero();
    reducer.backward(loss_of(weights, world.rank(), step));
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double limit = tolerance(first == second ? first : at::kFloat);
      const double error = (weights[i].grad() - expected[i]).abs().max().item<double>();
      EXPECT_LE(error, limit) << "tensor " << i << ", step " << step;
    }
    descend(weights);
  }
}

void gradients_are_the_mean_in_float(Communicator& world, at::Device device) {
  train_and_compare(world, device, at::kFloat, at::kFloat);
}

void gradients_are_the_mean_in_double(Communicator& world, at::Device device) {
  train_and_compare(world, device, at::kDouble, at::kDouble);
}

void gradients_are_the_mean_in_mixed_types(Communicator& world, at::Device device) {
  train_and_compare(world, device, at::kFloat, at::kDouble);
}

void ranks_stay_bit_equal(Communicator& world, at::Device device) {
  const auto weights = make_weights(world.rank(), at::kFloat, at::kFloat, device);
  GradientReducer reducer(named(weights), world, {});
  for (int step = 0; step < 5; ++step) {
    reducer.zero();
    reducer.backward(loss_of(weights, world.rank(), step));
    descend(weights);
  }
  for (const at::Tensor& weight : weights) {
    at::Tensor root = weight.detach().clone();
    world.broadcast(root, 0);
    EXPECT_TRUE(at::equal(root, weight));
  }
}

// Over NCCL the way of a sum may depend on its length.
void bucket_sizes_do_not_change_a_bit(Communicator& world, at::Device device) {
  std::vector<at::Tensor> results;
  for (const double mib : {1e-5, 25.0}) {
    const auto weights = make_weights(0, at::kFloat, at::kFloat, device);
    ReducerOptions options;
    options.first_bucket_mib = options.bucket_mib = mib;
    GradientReducer reducer(named(weights), world, options);
    for (int step = 0; step < 3; ++step) {
      reducer.zero();
      reducer.backward(loss_of(weights, world.rank(), step));
      descend(weights);
    }
    for (const at::Tensor& weight : weights) results.push_back(weight.detach());
  }
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(at::equal(results[i], results[i + 4]));
}

void values_start_as_those_of_rank_zero(Communicator& world, at::Device device) {
  at::Tensor filters = waves({8, 4, 3, 3}, world.rank(), at::kFloat)
                           .to(device)
                           .contiguous(at::MemoryFormat::ChannelsLast)
                           .set_requires_grad(true);
  const GradientReducer reducer({{"filters", filters}}, world, {});
  EXPECT_TRUE(at::equal(filters.cpu(), waves({8, 4, 3, 3}, 0, at::kFloat)));
  EXPECT_TRUE(filters.is_contiguous(at::MemoryFormat::ChannelsLast));
}

void small_buckets_are_reduced_one_by_one(Communicator& world, at::Device device) {
  const auto log = collective_log_of(world);
  if (!log) return;
  const auto weights = make_weights(0, at::kFloat, at::kFloat, device);
  ReducerOptions options;
  options.first_bucket_mib = options.bucket_mib = 1e-5;
  GradientReducer reducer(named(weights), world, options);
  reducer.backward(loss_of(weights, world.rank(), 0));
  reducer.zero();
  const std::int64_t before = log->recent().back().number;
  reducer.backward(loss_of(weights, world.rank(), 1));
  int all_reduces = 0;
  for (const Collective& collective : log->recent()) {
    all_reduces += collective.number > before && collective.verb == "all_reduce";
  }
  EXPECT_EQ(all_reduces, 4);
}

std::vector<std::int64_t> all_reduced_bytes(const CollectiveLog& log, std::int64_t after) {
  std::vector<std::int64_t> bytes;
  for (const Collective& collective : log.recent()) {
    if (collective.number > after && collective.verb == "all_reduce")
      bytes.push_back(collective.bytes);
  }
  return bytes;
}

// What is ready last is exposed: after c10d has rebuilt the buckets, too.
void the_bucket_of_the_first_layers_is_small(Communicator& world, at::Device device) {
  const auto log = collective_log_of(world);
  if (!log) return;
  const auto weights = make_weights(0, at::kFloat, at::kFloat, device);
  ReducerOptions options;
  options.first_bucket_mib = 1e-5;  // weight0 alone
  options.bucket_mib = 1;
  GradientReducer reducer(named(weights), world, options);
  for (int step = 0; step < 3; ++step) {
    const std::int64_t before = log->recent().back().number;
    reducer.zero();
    reducer.backward(loss_of(weights, world.rank(), step));
    const auto bytes = all_reduced_bytes(*log, before);
    ASSERT_GE(bytes.size(), 2U);
    EXPECT_EQ(bytes.end()[-2], 4 * (5 + 15 + 3)) << "step " << step;
    EXPECT_EQ(bytes.back(), 4 * 30) << "step " << step;
  }
}

// Micro-batches one after the other are one large batch.
void accumulated_gradients_are_the_mean(Communicator& world, at::Device device) {
  const int micro_batches = 3;
  const auto weights = make_weights(0, at::kDouble, at::kDouble, device);
  GradientReducer reducer(named(weights), world, {});
  const auto log = collective_log_of(world);
  for (int step = 0; step < 3; ++step) {
    std::vector<at::Tensor> expected;
    for (int micro = 0; micro < micro_batches; ++micro) {
      const auto mean = mean_gradients(weights, world.size(), 10 * step + micro);
      for (std::size_t i = 0; i < mean.size(); ++i) {
        if (micro == 0) expected.push_back(at::zeros_like(mean[i]));
        expected[i] += mean[i] / micro_batches;
      }
    }
    reducer.zero();
    for (int micro = 0; micro < micro_batches; ++micro) {
      const auto loss = loss_of(weights, world.rank(), 10 * step + micro) / micro_batches;
      const auto before = log ? log->bytes() : 0;
      if (micro + 1 < micro_batches) {
        reducer.accumulate(loss);
        EXPECT_EQ(log ? log->bytes() : 0, before);
      } else {
        reducer.backward(loss);
      }
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double error = (weights[i].grad() - expected[i]).abs().max().item<double>();
      EXPECT_LE(error, 1e-14) << "tensor " << i << ", step " << step;
    }
    descend(weights);
  }
}

void compression_halves_the_bytes(Communicator& world, at::Device device) {
  for (const char* compression : {"bf16", "fp16"}) {
    const auto weights = make_weights(0, at::kFloat, at::kFloat, device);
    ReducerOptions options;
    options.compression = compression;
    GradientReducer reducer(named(weights), world, options);
    const auto log = collective_log_of(world);
    for (int step = 0; step < 3; ++step) {
      const auto expected = mean_gradients(weights, world.size(), step);
      const std::int64_t before = log ? log->recent().back().number : 0;
      reducer.zero();
      reducer.backward(loss_of(weights, world.rank(), step));
      if (log) {
        std::int64_t sum = 0;
        for (const auto bytes : all_reduced_bytes(*log, before)) sum += bytes;
        EXPECT_EQ(sum, 2 * (30 + 5 + 15 + 3)) << "step " << step;
      }
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const auto root = weights[i].grad().clone();
        world.broadcast(root, 0);
        EXPECT_TRUE(at::equal(root, weights[i].grad()));
        const double scale = expected[i].abs().max().item<double>();
        const double error = (weights[i].grad() - expected[i]).abs().max().item<double>();
        EXPECT_LE(error, 0.01 * scale) << compression << ", tensor " << i << ", step " << step;
      }
      descend(weights);
    }
  }
}

template <typename Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void a_parameter_without_gradient_is_named(Communicator& world, at::Device device) {
  auto weights = make_weights(0, at::kFloat, at::kFloat, device);
  weights.push_back(at::ones({2}, device).set_requires_grad(true));
  GradientReducer reducer(named(weights), world, {});
  EXPECT_THAT(message_of([&] { reducer.backward(loss_of(weights, world.rank(), 0)); }),
              HasSubstr("does not depend on weight4;"));
}

void models_that_differ_between_ranks_are_an_error(Communicator& world, at::Device device) {
  if (world.size() == 1) return;
  const at::Tensor weight = at::ones({world.rank() == 1 ? 3 : 2}, device).set_requires_grad(true);
  EXPECT_THAT(message_of([&] {
                GradientReducer reducer({{"weight", weight}}, world, {});
              }),
              HasSubstr("must build the same model"));
}

}  // namespace

std::vector<WorldCheck> gradient_checks() {
  return {
      {"GradientsAreTheMeanInFloat", gradients_are_the_mean_in_float},
      {"GradientsAreTheMeanInDouble", gradients_are_the_mean_in_double},
      {"GradientsAreTheMeanInMixedTypes", gradients_are_the_mean_in_mixed_types},
      {"RanksStayBitEqual", ranks_stay_bit_equal},
      {"BucketSizesDoNotChangeABit", bucket_sizes_do_not_change_a_bit, Promise::kOfHostWorlds},
      {"ValuesStartAsThoseOfRankZero", values_start_as_those_of_rank_zero},
      {"SmallBucketsAreReducedOneByOne", small_buckets_are_reduced_one_by_one},
      {"TheBucketOfTheFirstLayersIsSmall", the_bucket_of_the_first_layers_is_small},
      {"AccumulatedGradientsAreTheMean", accumulated_gradients_are_the_mean},
      {"CompressionHalvesTheBytes", compression_halves_the_bytes},
      {"AParameterWithoutGradientIsNamed", a_parameter_without_gradient_is_named},
      {"ModelsThatDifferBetweenRanksAreAnError", models_that_differ_between_ranks_are_an_error},
  };
}

}  // namespace stc::dist
