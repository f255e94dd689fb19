#include "models/temporal_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/temporal_model.h"
#include "monitoring/check.h"
#include "tests/support/devices.h"
#include "tests/support/operator_calls.h"
#include "tests/support/ranks_in_turn.h"

namespace stc::models {
namespace {

// On a GPU many samples are computed at a time, so that a step's losses take about as many launches
// as those of one sample on the CPU do: some 3,000 for 16 clips when each tile had its own.
TEST(TemporalLoss, TakesFewLaunches) {
  for (const auto* preset : {"paper_code", "fixed"}) {
    TemporalInputs inputs;
    const std::int64_t cells[] = {64, 32, 8};
    for (int l = 0; l < 3; ++l)
      inputs.levels[l] = at::randn({1, 2, 4, cells[l], cells[l]}).requires_grad_();
    inputs.teacher = at::randn({1, 2, 4, 8, 8});
    inputs.lab = at::rand({1, 2, 3, 256, 256});
    const auto options = with_preset({}, preset);
    const auto step = [&] {
      for (auto& level : inputs.levels) level.mutable_grad().reset();
      temporal_losses(inputs, options).total.backward();
    };
    step();  // makes the masks, once
    const auto calls = test::calls_of(step);
    EXPECT_LE(calls.launches(), 185) << preset;
    EXPECT_EQ(calls.all.count("aten::_local_scalar_dense"), 0U);
  }
}

// The closed forms of docs/method.md 2.6 at full size: 256 pixels, radii 12 and 6.
TemporalInputs constant_inputs() {
  TemporalInputs inputs;
  const std::int64_t cells[] = {64, 32, 8};
  for (int l = 0; l < 3; ++l)
    inputs.levels[l] = at::ones({1, 2, 4, cells[l], cells[l]}, at::kDouble);
  inputs.teacher = at::ones({1, 2, 4, 8, 8}, at::kDouble);
  inputs.lab = at::zeros({1, 2, 3, 256, 256}, at::kDouble);
  inputs.selection = at::ones({1, 32, 32}, at::kBool);
  return inputs;
}

class TemporalLossClosedForms : public test::OnDevice {
 protected:
  TemporalLosses losses_of(TemporalInputs inputs, const TemporalLossOptions& options = {}) const {
    for (auto* maps : {&inputs.levels[0],
                       &inputs.levels[1],
                       &inputs.levels[2],
                       &inputs.teacher,
                       &inputs.lab,
                       &inputs.selection})
      *maps = maps->to(device());
    return temporal_losses(inputs, options);
  }
};

TEST_P(TemporalLossClosedForms, ConstantFeaturesWithTheReferencesPooling) {
  const auto losses = losses_of(constant_inputs());
  EXPECT_NEAR(losses.local_distillation.item<double>(), 0.0043493, 5e-8);
}

TEST_P(TemporalLossClosedForms, ConstantFeaturesWithRowsThatSumToOne) {
  TemporalLossOptions options;
  options.distil_row_mass = true;
  EXPECT_NEAR(
      losses_of(constant_inputs(), options).local_distillation.item<double>(), 0.00012367, 5e-9);
}

TEST_P(TemporalLossClosedForms, OneInteriorQueryAlone) {
  auto inputs = constant_inputs();
  inputs.selection.zero_();
  inputs.selection[0][16][16] = true;
  // One axis of a coarse query: of the 4 (query, key) pairs of fine cells under an offset, all lie
  // in the fine window, but for 3 at both ends. (A pooled row taken as uniform, 1 / (4 * 169),
  // would give 0.0032504.)
  double squares = 0;
  for (int dy = -6; dy <= 6; ++dy) {
    for (int dx = -6; dx <= 6; ++dx) {
      const double pairs = (std::abs(dy) == 6 ? 3 : 4) * (std::abs(dx) == 6 ? 3 : 4);
      squares += std::pow(1.0 / 169 - pairs / (16 * 625), 2);
    }
  }
  EXPECT_NEAR(losses_of(inputs).local_distillation.item<double>(), 1000 * squares / 1024, 1e-12);
}

TEST_P(TemporalLossClosedForms, UniformStudentAgainstAOneHotTeacher) {
  auto inputs = constant_inputs();
  // Channel j of cell j is huge: every row of the teacher's map is one-hot.
  inputs.teacher = (at::eye(64, at::kDouble) * 100).view({1, 1, 64, 8, 8}).expand({1, 2, 64, 8, 8});
  EXPECT_NEAR(losses_of(inputs).global_distillation.item<double>(), 0.769043, 5e-7);
}

TEST_P(TemporalLossClosedForms, ScoreOfAUniformRow) {
  const auto losses = losses_of(constant_inputs());
  EXPECT_GT(losses.selection_score[0][16][16].item<double>(), 866.9);
  auto zero = constant_inputs();
  zero.levels[1].zero_();  // all products equal, in the frame or not: exactly uniform over 169
  EXPECT_NEAR(losses_of(zero).selection_score[0][0][0].item<double>(), 866.953, 5e-4);
}

TEST_P(TemporalLossClosedForms, ScoreOfAOneHotRow) {
  auto inputs = constant_inputs();
  inputs.levels[1] =
      (at::eye(1024, at::kDouble) * 100).view({1, 1, 1024, 32, 32}).expand({1, 2, 1024, 32, 32});
  EXPECT_NEAR(losses_of(inputs).selection_score[0][16][16].item<double>(), 4642.01, 5e-3);
}

INSTANTIATE_TEST_SUITE_P(, TemporalLossClosedForms, test::kDevices, test::device_name);

TEST(TemporalLoss, FixedPresetSelectsSeventyPercentOfEachSample) {
  const auto options = with_preset({}, "fixed");
  auto inputs = constant_inputs();
  inputs.selection = at::Tensor();
  inputs.levels[1] = at::randn({1, 2, 4, 32, 32}, at::kDouble);
  EXPECT_EQ(temporal_losses(inputs, options).selection.sum().item<std::int64_t>(), 715);
}

TEST(TemporalLoss, WeightsOfZeroSwitchLossesOff) {
  TemporalLossOptions options;
  options.local_weight = options.global_weight = 0;
  auto inputs = constant_inputs();
  inputs.teacher = at::Tensor();
  inputs.levels[0] = at::randn({1, 2, 4, 64, 64}, at::kDouble).requires_grad_();
  const auto losses = temporal_losses(inputs, options);
  EXPECT_EQ(losses.local_distillation.item<double>(), 0);
  EXPECT_EQ(losses.global_distillation.item<double>(), 0);
  EXPECT_FALSE(losses.selection.defined());
}

TEST(TemporalLoss, RadiiThatDoNotMatchAreAUsageError) {
  TemporalLossOptions options;
  options.fine_radius = 10;
  try {
    options.check();
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_NE(std::string(error.what()).find("losses.fine_radius is 10"), std::string::npos);
  }
}

TEST(ChannelDropout, ZeroesOneChannelScalesTheOthersAndCopies) {
  const auto lab = at::randn({2, 2, 3, 4, 4});
  const auto before = lab.clone();
  const auto seen = drop_channel(lab, 2);
  EXPECT_TRUE(at::equal(lab, before));
  EXPECT_EQ(seen.select(2, 2).abs().max().item<float>(), 0);
  EXPECT_TRUE(at::equal(seen.select(2, 0), lab.select(2, 0) * 1.5));
}

// Step 2 over ranks: batch norm, the local loss's ratio and the mean of gradients must give one
// rank's numbers on the CPU.
class StepTwoOverRanks : public test::OnDeviceAnd<int> {};

TEST_P(StepTwoOverRanks, EqualsOneRankOnTheUnionBatch) {
  const int ranks = std::get<1>(GetParam());
  TemporalOptions options;
  options.losses.fine_radius = 2;
  options.losses.coarse_radius = 1;
  const auto make_model = [&](at::Device device) {
    auto model = std::make_unique<TemporalModel>(options, 3);
    // Last batch norms that start at zero would leave most of the network without a gradient.
    for (const auto& [name, value] : model->student.parameters()) {
      if (name.ends_with("bn2.weight")) value.detach().fill_(0.5);
    }
    model->to(device, at::kDouble);
    return model;
  };
  const auto rgb = at::randn({ranks, 2, 3, 64, 64}, at::kDouble),
             lab = at::rand({ranks, 2, 3, 64, 64}, at::kDouble) * 2 - 1;

  const auto whole = make_model(at::kCPU);
  const auto expected = whole->losses({rgb, lab, 1, {}}, {});
  expected.total.backward();

  std::vector<std::unique_ptr<TemporalModel>> models(ranks);
  std::vector<TemporalLosses> losses(ranks);
  test::run_with_sum(ranks, [&](const OverRanks& own) {
    const int rank = own.rank;
    models[rank] = make_model(device());
    const auto part = [&](const at::Tensor& all) { return leaf(all.narrow(0, rank, 1)); };
    losses[rank] = models[rank]->losses({part(rgb), part(lab), 1, {}}, own);
    losses[rank].total.backward();
  });

  double total = 0;
  for (const auto& own : losses) total += own.total.item<double>() / ranks;
  EXPECT_NEAR(total / expected.total.item<double>(), 1, 1e-9);
  for (std::size_t p = 0; p < whole->student.parameters().size(); ++p) {
    const auto [name, parameter] = whole->student.parameters()[p];
    auto mean = at::zeros_like(parameter);
    for (const auto& model : models)
      mean += model->student.parameters()[p].second.grad().cpu() / ranks;
    const double error =
        (mean - parameter.grad()).norm().item<double>() / parameter.grad().norm().item<double>();
    EXPECT_LT(error, 1e-9) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds,
                         StepTwoOverRanks,
                         testing::Combine(test::kDevices, testing::Values(2, 4)),
                         test::device_name);

}  // namespace
}  // namespace stc::models
