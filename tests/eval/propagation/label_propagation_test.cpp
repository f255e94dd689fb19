#include "eval/propagation/label_propagation.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/weights/safetensors.h"
#include "eval/propagation/affinity_tile.h"
#include "eval/propagation/label_maps.h"
#include "eval/propagation/propagation_presets.h"
#include "monitoring/check.h"
#include "tests/support/devices.h"
#include "tests/support/golden_folder.h"

namespace stc::eval {
namespace {

struct Clip {
  std::vector<at::Tensor> features;  // [C, h, w] each
  at::Tensor labels;                 // [K, h, w]
};

// Frames that look alike, as in a video.
Clip clip(int frames, int channels, int height, int width, int classes, at::ScalarType dtype) {
  at::manual_seed(frames * 1000 + width);
  const auto scene = at::randn({channels, height, width}, dtype);
  Clip made;
  for (int t = 0; t < frames; ++t)
    made.features.push_back(scene.roll(t / 2, 2) + 0.4 * at::randn_like(scene));
  made.labels = at::rand({classes, height, width}, dtype);
  return made;
}

std::vector<at::Tensor> propagate(const PropagationOptions& options,
                                  const Clip& clip,
                                  at::Device device = at::kCPU) {
  LabelPropagation propagation(options, clip.features[0].to(device), clip.labels);
  std::vector<at::Tensor> labels{clip.labels};
  for (std::size_t t = 1; t < clip.features.size(); ++t)
    labels.push_back(propagation.step(clip.features[t].to(device)));
  return labels;
}

// The slow, obvious twin: every cell of every context frame in a list, sorted.
struct Candidate {
  double score;
  int frame;
  std::int64_t row, column;
};

struct ContextFrame {
  int frame;
  bool is_windowed;
};

std::vector<ContextFrame> context_of(int t, const PropagationOptions& options) {
  std::vector<ContextFrame> frames{{0, options.window_first_frame}};
  for (int s = t - static_cast<int>(options.preceding); s < t; ++s) {
    const bool is_there = s > 0 || (s == 0 && options.first_frame != FirstFrame::kDistinct) ||
                          (s < 0 && options.first_frame == FirstFrame::kPadded);
    if (is_there) frames.push_back({std::max(0, s), true});
  }
  return frames;
}

bool is_near(std::int64_t dy, std::int64_t dx, const PropagationOptions& options) {
  if (options.window == WindowShape::kCircle) return std::hypot(dy, dx) < options.half_window;
  return std::max(std::abs(dy), std::abs(dx)) <= options.half_window;
}

at::Tensor vote(std::vector<Candidate> candidates,
                const std::vector<at::Tensor>& labels,
                const PropagationOptions& options) {
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return a.score > b.score;
  });
  candidates.resize(std::min<std::size_t>(candidates.size(), options.top_k));
  double sum = 0;
  auto result = at::zeros({labels[0].size(0)}, at::kDouble);
  for (const auto& c : candidates) {
    const double weight = std::exp((c.score - candidates[0].score) / options.temperature);
    sum += weight;
    result += weight * labels[c.frame].select(2, c.column).select(1, c.row).to(at::kDouble);
  }
  return result / sum;
}

at::Tensor one_hot_of_best(const at::Tensor& label) {
  auto hard = at::zeros_like(label);
  hard[label.argmax().item<std::int64_t>()] = 1;
  return hard;
}

std::vector<at::Tensor> slow_twin(const PropagationOptions& options, const Clip& clip) {
  std::vector<at::Tensor> unit, labels{clip.labels.to(at::kDouble)};
  for (const auto& f : clip.features) {
    const auto wide = f.to(at::kDouble);
    unit.push_back(wide / wide.square().sum(0, true).sqrt().clamp_min(1e-12));
  }
  const auto height = clip.labels.size(1), width = clip.labels.size(2);
  for (int t = 1; t < static_cast<int>(unit.size()); ++t) {
    labels.push_back(at::zeros_like(labels[0]));
    for (std::int64_t i = 0; i < height; ++i) {
      for (std::int64_t j = 0; j < width; ++j) {
        const auto query = unit[t].select(2, j).select(1, i);
        std::vector<Candidate> candidates;
        for (const auto& [s, is_windowed] : context_of(t, options)) {
          const auto scores = (unit[s] * query.view({-1, 1, 1})).sum(0);
          const auto score = scores.accessor<double, 2>();
          for (std::int64_t r = 0; r < height; ++r)
            for (std::int64_t c = 0; c < width; ++c)
              if (!is_windowed || is_near(r - i, c - j, options))
                candidates.push_back({score[r][c], s, r, c});
        }
        auto label = vote(std::move(candidates), labels, options);
        if (options.hard_labels) label = one_hot_of_best(label);
        labels[t].select(2, j).select(1, i).copy_(label);
      }
    }
  }
  return labels;
}

double largest_difference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return (at::stack(a).to(at::kDouble) - at::stack(b).to(at::kDouble)).abs().max().item<double>();
}

struct Setting {
  int frames, channels, height, width;
  PropagationOptions options;
};

class AgainstSlowTwin : public test::OnDeviceAnd<Setting> {};

TEST_P(AgainstSlowTwin, GivesTheSameLabelsInDoubleAndInFloat) {
  const auto& s = std::get<1>(GetParam());
  const auto made = clip(s.frames, s.channels, s.height, s.width, 3, at::kDouble);
  const auto expected = slow_twin(s.options, made);
  EXPECT_LT(largest_difference(propagate(s.options, made, device()), expected), 1e-12);
  Clip narrow{made.features, made.labels.to(at::kFloat)};
  for (auto& f : narrow.features) f = f.to(at::kFloat);
  EXPECT_LT(largest_difference(propagate(s.options, narrow, device()), expected), 1e-5);
}

// Widths around panels of 8 cells; windows inside, at and beyond the map; contexts that lose the
// first frame; channels beyond one go of the tile; patches side by side.
INSTANTIATE_TEST_SUITE_P(
    Settings,
    AgainstSlowTwin,
    testing::Combine(
        test::kDevices,
        testing::Values(
            Setting{4, 5, 6, 37, {}},
            Setting{4, 16, 9, 13, {.half_window = 3}},
            Setting{6, 7, 5, 8, {.half_window = 2, .preceding = 2, .top_k = 4}},
            Setting{6,
                    7,
                    5,
                    8,
                    {.half_window = 2, .preceding = 2, .first_frame = FirstFrame::kDistinct}},
            Setting{3, 4, 3, 1, {.half_window = 1, .top_k = 50}},
            Setting{3, 4, 1, 1, {.top_k = 1}},
            Setting{4, 4, 4, 5, {.half_window = 0, .preceding = 0}},
            Setting{3, 3, 5, 33, {.half_window = 40, .top_k = 7, .temperature = 1}},
            Setting{3, 600, 11, 29, {.half_window = 7}})),
    test::device_name);

// The rules of published evaluations (docs/evaluation.md), and each by itself.
INSTANTIATE_TEST_SUITE_P(
    Rules,
    AgainstSlowTwin,
    testing::Combine(
        test::kDevices,
        testing::Values(
            Setting{4, 6, 9, 21, {.window = WindowShape::kCircle, .half_window = 5}},
            Setting{4, 6, 5, 9, {.window = WindowShape::kCircle, .half_window = 1}},
            Setting{4, 6, 5, 9, {.window = WindowShape::kCircle, .half_window = 40}},
            Setting{5, 6, 7, 19, {.half_window = 2, .window_first_frame = false}},
            Setting{5,
                    6,
                    7,
                    9,
                    {.half_window = 2,
                     .window_first_frame = false,
                     .preceding = 2,
                     .first_frame = FirstFrame::kDistinct}},
            Setting{
                5, 6, 7, 9, {.half_window = 2, .preceding = 3, .first_frame = FirstFrame::kPadded}},
            Setting{5, 6, 6, 9, {.half_window = 2, .hard_labels = true}},
            Setting{5,
                    6,
                    8,
                    17,
                    {.window = WindowShape::kCircle,
                     .half_window = 4,
                     .window_first_frame = false,
                     .preceding = 3,
                     .temperature = 0.05,
                     .first_frame = FirstFrame::kPadded}})),
    test::device_name);

class Preset : public test::OnDeviceAnd<std::string> {};

TEST_P(Preset, GivesTheLabelsOfTheSlowTwinInDouble) {
  PropagationRules defaults;
  defaults.video.propagation.half_window = 4;
  const auto& name = std::get<1>(GetParam());
  const auto video = with_preset(defaults, name).video;
  const int frames = 10;  // more than the shortest context
  const auto made = clip(frames, 5, 7, 12, 3, at::kDouble);
  const auto expected = slow_twin(video.propagation, made);
  EXPECT_LT(largest_difference(propagate(video.propagation, made, device()), expected), 1e-12);
  // The preset is not the default by another name.
  const auto of_default = slow_twin({.half_window = 4}, made);
  EXPECT_EQ(largest_difference(of_default, expected) > 1e-3, name != "stt");
}

INSTANTIATE_TEST_SUITE_P(Names,
                         Preset,
                         testing::Combine(test::kDevices, testing::ValuesIn(propagation_presets())),
                         test::device_name);

TEST(LabelPropagation, GivesTheEarlierFrameAndCellTheVoteOnATie) {
  // All features are equal, so every cell ties; only the first ones may vote.
  const auto features = at::ones({2, 2, 3}, at::kDouble);
  const auto labels = at::arange(6, at::kDouble).view({1, 2, 3});
  PropagationOptions options{.half_window = 5, .top_k = 2};
  LabelPropagation reference(options, features, labels);
  EXPECT_TRUE(at::allclose(reference.step(features), at::full({1, 2, 3}, 0.5, at::kDouble)));
  options.top_k = 7;  // six of the first frame's first turn, and one of its second
  LabelPropagation seven(options, features, labels);
  EXPECT_TRUE(at::allclose(seven.step(features), at::full({1, 2, 3}, 15.0 / 7, at::kDouble)));
}

TEST(LabelPropagation, CountsTheFirstFrameTwiceUnlessAskedNotTo) {
  const auto features = at::ones({1, 1, 2}, at::kDouble);
  const auto made =
      Clip{{features, features, features}, at::arange(2, at::kDouble).view({1, 1, 2})};
  PropagationOptions options{.half_window = 0, .top_k = 3};
  // Frame 2 sees frame 0 twice and frame 1 once; in each, the cell itself.
  EXPECT_EQ(largest_difference(propagate(options, made), slow_twin(options, made)), 0);
  at::Tensor other = made.features[0].clone();
  LabelPropagation twice({.half_window = 1, .top_k = 3}, other, made.labels);
  LabelPropagation once(
      {.half_window = 1, .top_k = 3, .first_frame = FirstFrame::kDistinct}, other, made.labels);
  EXPECT_NEAR(twice.step(other).select(2, 0).item<double>(), 1.0 / 3, 1e-12);  // cells 0, 1, 0
  EXPECT_NEAR(once.step(other).select(2, 0).item<double>(), 1.0 / 2, 1e-12);   // cells 0, 1
}

TEST(LabelPropagation, DoesNotDependOnTheNumberOfThreads) {
  const auto made = clip(4, 24, 19, 31, 4, at::kFloat);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = propagate({.half_window = 5}, made);
  at::set_num_threads(3);
  const auto three = propagate({.half_window = 5}, made);
  at::set_num_threads(before);
  EXPECT_EQ(largest_difference(one, three), 0);
}

class LabelPropagationOn : public test::OnDevice {};

TEST_P(LabelPropagationOn, KeepsZeroFeaturesFinite) {
  auto made = clip(3, 4, 4, 4, 2, at::kFloat);
  made.features[0].zero_();
  made.features[1].zero_();
  const auto labels = propagate({.half_window = 1}, made, device());
  EXPECT_TRUE(at::stack(labels).isfinite().all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(, LabelPropagationOn, test::kDevices, test::device_name);

TEST(LabelPropagation, RefusesFramesOfAnotherSize) {
  LabelPropagation propagation({}, at::ones({3, 4, 5}), at::ones({2, 4, 5}));
  EXPECT_THROW(propagation.step(at::ones({3, 5, 4})), Error);
  EXPECT_THROW(LabelPropagation({}, at::ones({3, 4, 5}), at::ones({2, 4, 4})), Error);
  EXPECT_THROW(LabelPropagation({.top_k = 0}, at::ones({3, 4, 5}), at::ones({2, 4, 5})), Error);
}

template <typename T>
void expect_tile_is_a_product(at::ScalarType dtype, std::int64_t channels, std::int64_t panels) {
  const auto queries = at::randn({channels, kPanel}, dtype),
             keys = at::randn({panels, channels, kPanel}, dtype);
  const auto stride = panels * kPanel + 3;
  const auto scores = at::full({kPanel, stride}, 7, dtype);
  affinity_tile<T>().product(queries.template const_data_ptr<T>(),
                             keys.template const_data_ptr<T>(),
                             channels,
                             panels,
                             scores.template mutable_data_ptr<T>(),
                             stride);
  const auto product = at::einsum("cq,pck->qpk", {queries, keys}).flatten(1);
  const auto expected = at::constant_pad_nd(product, {0, 3}, 7);
  EXPECT_TRUE(at::allclose(scores, expected, 1e-5, 1e-4)) << channels << " x " << panels;
}

TEST(AffinityTile, IsAProductOverChannelsAndWritesNothingElse) {
  for (const int panels : {1, 2, 3, 4, 5, 9}) {
    for (const int channels : {1, 19, 256, 700}) {
      expect_tile_is_a_product<float>(at::kFloat, channels, panels);
      expect_tile_is_a_product<double>(at::kDouble, channels, panels);
    }
  }
}

template <typename T>
void expect_rows_above(at::ScalarType dtype) {
  const auto scores = at::zeros({kPanel, 3 * kPanel + 1}, dtype);
  const auto bars = at::full({kPanel}, 2, dtype);
  const auto rows = [&](std::int64_t panels) {
    return affinity_tile<T>().above(
        scores.const_data_ptr<T>(), 3 * kPanel + 1, panels, bars.const_data_ptr<T>());
  };
  EXPECT_EQ(rows(3), 0U);
  scores.select(1, 3 * kPanel).fill_(9);  // beyond the panels
  scores[1][7] = 2;                       // at the bar, not above
  scores[2][7] = 3;
  scores[5][3 * kPanel - 1] = 3;
  bars[6] = -1;
  EXPECT_EQ(rows(3), 1U << 2 | 1U << 5 | 1U << 6);
  EXPECT_EQ(rows(2), 1U << 2 | 1U << 6);
}

TEST(AffinityTile, TellsWhichQueriesHaveAScoreAboveTheirBar) {
  expect_rows_above<float>(at::kFloat);
  expect_rows_above<double>(at::kDouble);
}

class GoldenPropagation : public testing::TestWithParam<std::string> {};

TEST_P(GoldenPropagation, GivesTheSoftLabelsAndTheMasks) {
  const auto file = test::golden_folder() + "/prop_" + GetParam() + ".safetensors";
  const auto golden = data::read_safetensors(file).tensors;
  const auto number = [&](const std::string& name) {
    return golden.at(name)[0].item<std::int64_t>();
  };
  const PropagationOptions options{.half_window = number("half"),
                                   .preceding = number("preceding"),
                                   .top_k = number("top_k"),
                                   .temperature = golden.at("temperature")[0].item<double>()};
  const Clip made{golden.at("features").unbind(), golden.at("labels0")};
  const auto soft = propagate(options, made);
  EXPECT_LT(largest_difference(soft, golden.at("soft").unbind()), 1e-5);
  if (!golden.contains("mask")) return;
  const auto size = golden.at("output_size");
  for (std::size_t t = 0; t < soft.size(); ++t) {
    const auto mask =
        to_mask(soft[t], size[0].item<std::int64_t>(), size[1].item<std::int64_t>()).labels;
    const auto wrong = (mask != golden.at("mask")[t]).logical_and(golden.at("margin")[t] > 1e-4);
    EXPECT_EQ(wrong.sum().item<std::int64_t>(), 0) << "frame " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases,
                         GoldenPropagation,
                         testing::Values("davis-like",
                                         "window-bigger-than-map",
                                         "short-context",
                                         "window-0-k1",
                                         "empty-channel",
                                         "pose-like",
                                         "zero-features"));

}  // namespace
}  // namespace stc::eval
