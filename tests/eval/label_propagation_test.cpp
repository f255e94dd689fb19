#include "eval/label_propagation.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/safetensors.h"
#include "eval/affinity_tile.h"
#include "eval/label_maps.h"
#include "monitoring/check.h"

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

std::vector<at::Tensor> propagate(const PropagationOptions& options, const Clip& clip) {
  LabelPropagation propagation(options, clip.features[0], clip.labels);
  std::vector<at::Tensor> labels{clip.labels};
  for (std::size_t t = 1; t < clip.features.size(); ++t)
    labels.push_back(propagation.step(clip.features[t]));
  return labels;
}

// The slow, obvious twin: every cell of every context frame in a list, sorted.
struct Candidate {
  double score;
  int frame;
  std::int64_t row, column;
};

std::vector<int> context_of(int t, const PropagationOptions& options) {
  const int oldest = std::max<int>(0, t - static_cast<int>(options.preceding));
  std::vector<int> frames;
  if (!(options.distinct_first && oldest == 0)) frames.push_back(0);
  for (int s = oldest; s < t; ++s) frames.push_back(s);
  return frames;
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
        for (const int s : context_of(t, options)) {
          const auto scores = (unit[s] * query.view({-1, 1, 1})).sum(0);
          const auto score = scores.accessor<double, 2>();
          for (std::int64_t r = 0; r < height; ++r)
            for (std::int64_t c = 0; c < width; ++c)
              if (std::abs(r - i) <= options.half_window && std::abs(c - j) <= options.half_window)
                candidates.push_back({score[r][c], s, r, c});
        }
        labels[t].select(2, j).select(1, i).copy_(vote(std::move(candidates), labels, options));
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

class AgainstSlowTwin : public testing::TestWithParam<Setting> {};

TEST_P(AgainstSlowTwin, GivesTheSameLabelsInDoubleAndInFloat) {
  const auto& s = GetParam();
  const auto made = clip(s.frames, s.channels, s.height, s.width, 3, at::kDouble);
  const auto expected = slow_twin(s.options, made);
  EXPECT_LT(largest_difference(propagate(s.options, made), expected), 1e-12);
  Clip narrow{made.features, made.labels.to(at::kFloat)};
  for (auto& f : narrow.features) f = f.to(at::kFloat);
  EXPECT_LT(largest_difference(propagate(s.options, narrow), expected), 1e-5);
}

// Widths around the tiles' 4, 6 and 8 queries and 4 to 32 keys; windows inside, at and beyond the
// map; contexts that lose the first frame.
INSTANTIATE_TEST_SUITE_P(
    Settings,
    AgainstSlowTwin,
    testing::Values(Setting{4, 5, 6, 37, {}},
                    Setting{4, 16, 9, 13, {.half_window = 3}},
                    Setting{6, 7, 5, 8, {.half_window = 2, .preceding = 2, .top_k = 4}},
                    Setting{6, 7, 5, 8, {.half_window = 2, .preceding = 2, .distinct_first = true}},
                    Setting{3, 4, 3, 1, {.half_window = 1, .top_k = 50}},
                    Setting{3, 4, 1, 1, {.top_k = 1}},
                    Setting{4, 4, 4, 5, {.half_window = 0, .preceding = 0}},
                    Setting{3, 3, 5, 33, {.half_window = 40, .top_k = 7, .temperature = 1}}));

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
  LabelPropagation once({.half_window = 1, .top_k = 3, .distinct_first = true}, other, made.labels);
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

TEST(LabelPropagation, KeepsZeroFeaturesFinite) {
  auto made = clip(3, 4, 4, 4, 2, at::kFloat);
  made.features[0].zero_();
  made.features[1].zero_();
  EXPECT_TRUE(at::stack(propagate({.half_window = 1}, made)).isfinite().all().item<bool>());
}

TEST(LabelPropagation, RefusesFramesOfAnotherSize) {
  LabelPropagation propagation({}, at::ones({3, 4, 5}), at::ones({2, 4, 5}));
  EXPECT_THROW(propagation.step(at::ones({3, 5, 4})), Error);
  EXPECT_THROW(LabelPropagation({}, at::ones({3, 4, 5}), at::ones({2, 4, 4})), Error);
  EXPECT_THROW(LabelPropagation({.top_k = 0}, at::ones({3, 4, 5}), at::ones({2, 4, 5})), Error);
}

template <typename T>
void expect_tile_is_a_product(at::ScalarType dtype) {
  const auto tile = affinity_tile<T>();
  const std::int64_t channels = 19, stride = 70;
  const auto queries = at::randn({channels, stride}, dtype), keys = at::randn_like(queries);
  const auto scores = at::zeros({tile.queries, tile.keys}, dtype);
  tile.product(queries.template const_data_ptr<T>(),
               keys.template const_data_ptr<T>(),
               channels,
               stride,
               scores.template mutable_data_ptr<T>(),
               tile.keys);
  const auto expected = queries.narrow(1, 0, tile.queries).t().matmul(keys.narrow(1, 0, tile.keys));
  EXPECT_TRUE(at::allclose(scores, expected, 1e-5, 1e-5));
}

TEST(AffinityTile, IsAProductOverChannels) {
  expect_tile_is_a_product<float>(at::kFloat);
  expect_tile_is_a_product<double>(at::kDouble);
}

class GoldenPropagation : public testing::TestWithParam<std::string> {};

TEST_P(GoldenPropagation, GivesTheSoftLabelsAndTheMasks) {
  const auto file = std::string(STC_GOLDEN_FOLDER "/prop_") + GetParam() + ".safetensors";
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
