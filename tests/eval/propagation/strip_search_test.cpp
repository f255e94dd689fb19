#include "eval/propagation/strip_search.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "eval/propagation/label_propagation.h"
#include "tests/support/devices.h"

namespace stc::eval {
namespace {

struct Frames {
  std::vector<at::Tensor> unit, labels;  // [C, h, w], [h * w, K]
};

Frames make_frames(int count, int height, int width, at::ScalarType dtype) {
  at::manual_seed(count * 100 + width);
  Frames made;
  for (int t = 0; t < count; ++t) {
    made.unit.push_back(unit_features(at::randn({6, height, width}, dtype)));
    made.labels.push_back(at::rand({height * width, 3}, dtype));
  }
  return made;
}

struct Setting {
  int height, width;
  SearchWindow window, first_window;
  SearchOptions options;
};

class StripSearch : public test::OnDeviceAnd<Setting> {};

// The twin is the CPU's kernel, which has a slow one of its own.
TEST_P(StripSearch, GivesTheKernelsLabelsWhateverTheHeightOfAStrip) {
  const auto& s = std::get<1>(GetParam());
  const auto made = make_frames(4, s.height, s.width, at::kDouble);
  std::vector<SearchFrame> packed, plain;
  for (int t = 0; t < 3; ++t) {
    packed.push_back(make_search_frame(made.unit[t], made.labels[t]));
    plain.push_back({made.unit[t].to(device()), made.labels[t].to(device())});
  }
  // The first frame is searched twice, once in another window.
  const auto slots = [&](const std::vector<SearchFrame>& frames) {
    return std::vector<SearchSlot>{{frames.data(), &s.first_window},
                                   {frames.data(), &s.window},
                                   {&frames[1], &s.window},
                                   {&frames[2], &s.window}};
  };
  const auto expected = search_labels(made.unit[3], slots(packed), s.options);
  for (const std::int64_t rows : {1, 2, 5, s.height, s.height + 9}) {
    const auto labels =
        search_strips(made.unit[3].to(device()), slots(plain), s.options, rows).cpu();
    ASSERT_EQ(labels.sizes(), expected.sizes());
    EXPECT_LT((labels - expected).abs().max().item<double>(), 1e-13) << rows << " rows";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Settings,
    StripSearch,
    testing::Combine(
        test::kDevices,
        testing::Values(Setting{7, 11, square_window(2), square_window(2), {}},
                        Setting{7, 11, square_window(3), whole_frame(7, 11), {.top_k = 4}},
                        Setting{9, 5, circle_window(3), circle_window(3), {.temperature = 0.5}},
                        Setting{4, 6, square_window(40), square_window(40), {.top_k = 1}},
                        Setting{3, 4, square_window(1), square_window(1), {.top_k = 50}},
                        Setting{1, 1, square_window(0), square_window(0), {.top_k = 3}})),
    test::device_name);

TEST(StripRows, KeepTheScoresOfAStripAndAWholeFrameBelow64MiB) {
  const auto rows = [](int height, int width) { return strip_rows(at::empty({1, height, width})); };
  EXPECT_EQ(rows(60, 107), (64 << 20) / (107 * 60 * 107 * 4));
  EXPECT_EQ(rows(120, 288), 1);
  EXPECT_EQ(rows(400, 400), 1);
}

TEST(LabelPropagationOnAGpu, GivesTheCpusLabels) {
  if (!at::hasCUDA()) GTEST_SKIP() << test::missing_gpu();
  const auto made = make_frames(6, 19, 33, at::kFloat);
  const auto first = made.labels[0].t().reshape({3, 19, 33});
  const PropagationOptions options{.half_window = 5};
  LabelPropagation on_cpu(options, made.unit[0], first);
  LabelPropagation on_gpu(options, made.unit[0].to(at::kCUDA), first);
  for (int t = 1; t < 6; ++t) {
    const auto labels = on_gpu.step(made.unit[t].to(at::kCUDA));
    EXPECT_TRUE(labels.is_cpu());
    EXPECT_LT((labels - on_cpu.step(made.unit[t])).abs().max().item<double>(), 1e-3) << t;
  }
}

}  // namespace
}  // namespace stc::eval
