#include "launcher/training/training_step.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <functional>

#include "dist/collective_log.h"
#include "dist/run_together.h"
#include "launcher/training/optimizer.h"
#include "tests/support/devices.h"
#include "tests/support/operator_calls.h"

namespace stc::launcher {
namespace {

using activity::Phase;
using testing::ElementsAre;

/// The loss is mean((w x)^2) over rows of x that depend on rank, step and micro-batch.
class Squares : public TrainingMethod {
 public:
  data::InputColour input_colour() const override { return data::InputColour::kLab; }
  explicit Squares(int rank, std::int64_t micro_batches = 1, at::Device device = at::kCPU)
      : weight(at::tensor({1.0, -2.0, 0.5}, at::kDouble).to(device).set_requires_grad(true)),
        rank_(rank),
        micro_batches_(micro_batches) {}

  /// All rows of one rank's step, whatever the number of micro-batches.
  static at::Tensor rows(int rank, std::int64_t step) {
    const auto index = at::arange(4 * 3, at::kDouble).reshape({4, 3});
    return at::sin(index + 10 * static_cast<double>(rank) + 100 * static_cast<double>(step));
  }

  void start(std::int64_t) override {}
  void fetch(MicroBatch at) override {
    const auto count = 4 / micro_batches_;
    x_ = rows(rank_, at.step).narrow(0, at.index * count, count).to(weight.device());
  }
  StepOutcome forward(MicroBatch at) override {
    const auto loss = (x_ * weight).sum(1).square().mean() * factor + offset;
    StepOutcome outcome;
    outcome.total = loss;
    outcome.losses = {{"total", loss.detach()}};
    outcome.samples = {at.index};
    return outcome;
  }
  void after_backward() override { ++backward_count; }
  models::NamedTensorList parameters() const override { return {{"weight", weight}}; }
  std::map<std::string, data::NamedTensors> shared_state() const override { return {}; }
  data::NamedTensors backbone_state() const override { return {}; }
  data::NamedTensors method_state() const override { return {}; }
  void load(const data::NamedTensors&, const data::NamedTensors&, const std::string&) override {}
  std::int64_t epoch_size() const override { return 1; }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t ready_batches() const override { return 0; }

  at::Tensor weight;
  double factor = 1, offset = 0;
  int backward_count = 0;

 private:
  int rank_;
  std::int64_t micro_batches_;
  at::Tensor x_;
};

constexpr double kRate = 0.1;

// How many values body() reads out of tensors.
std::int64_t reads_of(const std::function<void()>& body) {
  return test::calls_of(body).all["aten::_local_scalar_dense"];
}

TrainingStep::Options plain_sgd() {
  TrainingStep::Options options;
  options.optimizer = {.kind = OptimizerKind::kSgd, .momentum = 0};
  options.on_phase = [](Phase) {};
  return options;
}

// The slow twin: one process, gradient of the mean over all ranks' rows, by the formula.
at::Tensor trained_by_formula(int ranks, int steps) {
  auto weight = at::tensor({1.0, -2.0, 0.5}, at::kDouble);
  for (int step = 0; step < steps; ++step) {
    std::vector<at::Tensor> rows;
    for (int rank = 0; rank < ranks; ++rank) rows.push_back(Squares::rows(rank, step));
    const auto x = at::cat(rows);
    const auto gradient = (2 * at::mv(x, weight).unsqueeze(1) * x).mean(0);
    weight = weight - kRate * gradient;
  }
  return weight;
}

TEST(TrainingStep, OnAnyWorldAndAnyMicroBatchesIsOneStepOnTheWholeBatch) {
  for (const int ranks : {1, 2, 3}) {
    const auto expected = trained_by_formula(ranks, 3);
    for (const std::int64_t micro_batches : {1, 2, 4}) {
      dist::run_ranks(ranks, [&](dist::Communicator& world) {
        Squares method(world.rank(), micro_batches);
        auto options = plain_sgd();
        options.micro_batches = micro_batches;
        TrainingStep training_step(method, options, world, world);
        for (int step = 0; step < 3; ++step) {
          const auto result = training_step.run(step, kRate);
          EXPECT_TRUE(result.updated);
          EXPECT_EQ(std::ssize(result.samples), micro_batches);
        }
        EXPECT_TRUE(at::allclose(method.weight, expected, 0, 1e-12))
            << ranks << " ranks, " << micro_batches << " micro-batches";
        EXPECT_EQ(method.backward_count, 3);
      });
    }
  }
}

// In a world of one; with a loss scale, as in half precision.
class TrainingStepOn : public test::OnDevice {};

TEST_P(TrainingStepOn, IsTheStepByTheFormulaWithAndWithoutALossScale) {
  const auto expected = trained_by_formula(1, 3);
  for (const bool scale_loss : {false, true}) {
    dist::run_ranks(1, [&](dist::Communicator& world) {
      Squares method(0, 2, device());
      auto options = plain_sgd();
      options.micro_batches = 2;
      options.optimizer.scale_loss = scale_loss;
      TrainingStep training_step(method, options, world, world);
      for (int step = 0; step < 3; ++step) training_step.run(step, kRate);
      EXPECT_TRUE(test::close(method.weight, expected, 0, 1e-12)) << scale_loss;
    });
  }
}

TEST(TrainingStep, EntersItsPhasesInOrder) {
  dist::run_ranks(1, [&](dist::Communicator& world) {
    Squares method(0, 2);
    std::vector<Phase> phases;
    auto options = plain_sgd();
    options.micro_batches = 2;
    options.on_phase = [&](Phase phase) { phases.push_back(phase); };
    TrainingStep(method, options, world, world).run(0, kRate);
    EXPECT_THAT(phases,
                ElementsAre(Phase::kDataWait,
                            Phase::kForward,
                            Phase::kBackward,
                            Phase::kUpdate,
                            Phase::kDataWait,
                            Phase::kForward,
                            Phase::kBackward,
                            Phase::kUpdate));
  });
}

TEST(TrainingStep, StopsAllRanksBeforeTheUpdateWhenOneLossIsNotFinite) {
  std::atomic<int> stopped = 0;
  testing::internal::CaptureStderr();
  dist::run_ranks(2, [&](dist::Communicator& world) {
    Squares method(world.rank());
    if (world.rank() == 1) method.factor = NAN;
    TrainingStep training_step(method, plain_sgd(), world, world);
    const auto before = method.weight.detach().clone();
    try {
      training_step.run(0, kRate);
    } catch (const dist::ReportedError&) {
      ++stopped;
    }
    EXPECT_TRUE(at::equal(method.weight, before));
  });
  EXPECT_EQ(stopped, 2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("step 1, rank 1: loss 'total' is not finite"));
}

TEST_P(TrainingStepOn, SkipsAStepThatIsNotFiniteWhileTheLossScaleIsBeingFound) {
  dist::run_ranks(1, [&](dist::Communicator& world) {
    Squares method(0, 1, device());
    auto options = plain_sgd();
    options.optimizer.scale_loss = true;
    TrainingStep training_step(method, options, world, world);
    const auto scale = [&] { return training_step.optimizer.scaler.scale().item<double>(); };
    const double first = scale();
    const auto before = method.weight.detach().clone();
    method.factor = INFINITY;
    const auto result = training_step.run(0, kRate);
    EXPECT_FALSE(result.updated);
    EXPECT_EQ(result.loss_scale, first);
    EXPECT_EQ(scale(), first / 2);
    EXPECT_TRUE(at::equal(method.weight, before));
  });
}

// A loss that overflows while its gradient does not: nobody updates, on any rank.
TEST(TrainingStep, ALossThatIsNotFiniteMakesTheGradientSo) {
  std::atomic<int> stopped = 0;
  testing::internal::CaptureStderr();
  dist::run_ranks(2, [&](dist::Communicator& world) {
    Squares method(world.rank());
    if (world.rank() == 0) method.offset = INFINITY;
    TrainingStep training_step(method, plain_sgd(), world, world);
    const auto before = method.weight.detach().clone();
    const auto launched = training_step.launch(0, kRate);
    EXPECT_TRUE(at::equal(method.weight, before));
    EXPECT_THROW(training_step.finish(launched), dist::ReportedError);
    ++stopped;
  });
  EXPECT_EQ(stopped, 2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("step 1, rank 0: loss 'total' is not finite"));
}

// As a training on GPUs does: the weights are the same, and so are the numbers, a step later.
TEST(TrainingStep, MayBeReadWhenTheNextOneIsUnderWay) {
  dist::run_ranks(2, [&](dist::Communicator& world) {
    Squares at_once(world.rank()), later(world.rank());
    TrainingStep one(at_once, plain_sgd(), world, world), other(later, plain_sgd(), world, world);
    auto before = other.launch(0, kRate);
    for (int step = 0; step < 4; ++step) {
      const auto expected = one.run(step, kRate);
      auto next = other.launch(step + 1, kRate);
      const auto result = other.finish(before);
      EXPECT_EQ(result.step, expected.step);
      EXPECT_EQ(result.losses, expected.losses);
      EXPECT_EQ(result.gradient_norm, expected.gradient_norm);
      before = std::move(next);
    }
    one.run(4, kRate);
    EXPECT_TRUE(at::equal(later.weight, at_once.weight));
  });
}

TEST_P(TrainingStepOn, AfterAStepThatIsNotFiniteTheOneUnderWayMovesNothing) {
  dist::run_ranks(1, [&](dist::Communicator& world) {
    Squares method(0, 1, device());
    TrainingStep training_step(method, plain_sgd(), world, world);
    training_step.run(0, kRate);
    const auto before = method.weight.detach().clone();
    method.factor = NAN;
    const auto failed = training_step.launch(1, kRate);
    method.factor = 1;
    training_step.launch(2, kRate);
    EXPECT_TRUE(at::equal(method.weight, before));
    EXPECT_THROW(training_step.finish(failed), Error);
  });
}

INSTANTIATE_TEST_SUITE_P(, TrainingStepOn, test::kDevices, test::device_name);

// Reading a value makes the host of a GPU wait for all that is queued.
TEST(TrainingStep, ReadsNothingFromTheDeviceBeforeItsNumbers) {
  dist::run_ranks(1, [&](dist::Communicator& world) {
    Squares method(0);
    auto options = plain_sgd();
    options.clip_norm = 0.1;
    options.optimizer.scale_loss = true;
    options.optimizer.momentum = 0.9;
    TrainingStep training_step(method, options, world, world);
    training_step.run(0, kRate);
    EXPECT_EQ(reads_of([&] { training_step.launch(1, kRate); }), 0);
    EXPECT_EQ(reads_of([&] { method.weight.sum().item<double>(); }), 1);
  });
}

TEST(TrainingStep, WithoutReductionSendsNothingAndGivesTheRanksOwnGradient) {
  dist::run_ranks(2, [&](dist::Communicator& world) {
    Squares method(world.rank());
    TrainingStep training_step(method, plain_sgd(), world, world);
    const auto sent = world.bytes_sent();
    training_step.compute_gradients(0, TrainingStep::Reduction::kNone);
    EXPECT_EQ(world.bytes_sent(), sent);
    const auto x = Squares::rows(world.rank(), 0);
    const auto expected = (2 * at::mv(x, method.weight.detach()).unsqueeze(1) * x).mean(0);
    EXPECT_TRUE(at::allclose(method.weight.grad(), expected, 0, 1e-12));
  });
}

}  // namespace
}  // namespace stc::launcher
