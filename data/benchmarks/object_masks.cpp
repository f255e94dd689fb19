#include "data/benchmarks/object_masks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "monitoring/check.h"

namespace stc::data {
namespace {

constexpr std::uint8_t kVoid = 255;

struct Steps {
  std::int64_t all = 0;   // neighbours that differ
  std::int64_t soft = 0;  // pixels with a lower neighbour on one side and a higher one on the other
  std::int64_t lone = 0;  // those with two lower neighbours, or two higher ones
};

// The pixels `here`, `count` of them, whose neighbours are `step` before and after.
void count_steps(const std::uint8_t* here, std::size_t count, std::size_t step, Steps& steps) {
  const auto one = [&](const std::uint8_t* pixel) {
    const int before = *(pixel - step), label = *pixel, after = *(pixel + step);
    const bool rises = before < label;
    const bool falls = before > label;
    steps.all += rises || falls;
    steps.soft += (rises && label < after) || (falls && label > after);
    steps.lone += (rises && label > after) || (falls && label < after);
  };
  // Most of a mask is even: many pixels at once.
  constexpr std::size_t kBlock = 32;
  std::size_t i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    if (std::memcmp(here + i, here + i - step, kBlock) == 0) continue;
    for (std::size_t k = i; k < i + kBlock; ++k) one(here + k);
  }
  for (; i < count; ++i) one(here + i);
}

using Labels = std::array<std::int64_t, 256>;

// Whether 3 x 3 pixels around this one are alike.
bool is_core(const LabelMap& map, int y, int x) {
  const auto label = map.at(y, x);
  for (int v = y - 1; v <= y + 1; ++v)
    for (int u = x - 1; u <= x + 1; ++u)
      if (map.at(v, u) != label) return false;
  return true;
}

Labels cores_of(const LabelMap& map) {
  Labels cores{};
  for (int y = 1; y + 1 < map.height; ++y)
    for (int x = 1; x + 1 < map.width; ++x)
      if (map.at(y, x) != 0 && is_core(map, y, x)) ++cores[map.at(y, x)];
  return cores;
}

// The label of most of the picture's border.
int label_of_border(const LabelMap& map) {
  Labels pixels{};
  for (int x = 0; x < map.width; ++x) ++pixels[map.at(0, x)], ++pixels[map.at(map.height - 1, x)];
  for (int y = 0; y < map.height; ++y) ++pixels[map.at(y, 0)], ++pixels[map.at(y, map.width - 1)];
  return static_cast<int>(std::ranges::max_element(pixels) - pixels.begin());
}

// Programs that make a palette of their own number colours as they like.
void check_background(const std::string& path, const LabelMap& map, const Palette& palette) {
  if (map.labels.empty() || palette.empty()) return;
  const auto is_black = [&](std::size_t label) {
    return label < palette.size() &&
           std::ranges::all_of(palette[label], [](int c) { return c < 8; });
  };
  const int border = label_of_border(map);
  STC_CHECK_DATA(border == 0 || is_black(0) || !is_black(border),
                 "{}: the background is index {} of its palette (black), and index 0 is another "
                 "colour; masks are read by index, where 0 is the background: sort the palette so "
                 "that black is first, or save the labels as 8-bit grey",
                 path,
                 border);
}

// Where an anti-aliased or resampled edge crosses a row or column there is a value between both
// sides; labels of drawn objects rarely lie so.
bool has_soft_edges(const LabelMap& map) {
  constexpr std::int64_t kLeast = 8;
  if (map.height < 3 || map.width < 3) return false;
  const auto width = static_cast<std::size_t>(map.width);
  Steps steps;
  for (int y = 0; y < map.height; ++y) {
    const auto* row = map.labels.data() + y * width;
    count_steps(row + 1, width - 2, 1, steps);
    if (y > 0 && y + 1 < map.height) count_steps(row, width, width, steps);
  }
  // The labels of noise have values between others, too, but more that are not.
  return steps.soft >= kLeast && 4 * steps.soft >= steps.all && steps.soft > 2 * steps.lone;
}

}  // namespace

LabelMap read_object_mask(const std::string& path) {
  Palette palette;
  auto map = read_label_png(path, &palette);
  check_background(path, map, palette);
  STC_CHECK_DATA(
      !has_soft_edges(map),
      "{}: has soft edges: values between object and background ring its objects, and "
      "each would be an object of its own. Draw or export it without anti-aliasing, "
      "resize it by nearest neighbour, or threshold it (background 0, objects 1, 2, ...)",
      path);
  return map;
}

void MeaningOf255::add(const std::string& path, const LabelMap& map) {
  Labels pixels{};
  for (const auto label : map.labels) ++pixels[label];
  const auto cores = cores_of(map);
  has_255_ |= pixels[kVoid] > 0;
  is_255_solid_ |= cores[kVoid] > 0;
  for (int label = 1; label < kVoid; ++label) {
    if (pixels[label] == 0) continue;
    has_solid_label_ |= cores[label] > 0;
    if (stray_label_ != 0) continue;
    stray_label_ = label;
    stray_pixels_ = pixels[label];
    stray_path_ = path;
  }
}

MeaningOf255::Kind MeaningOf255::kind() const {
  if (!has_255_) return Kind::kAbsent;
  if (stray_label_ == 0) return Kind::kObject;
  STC_CHECK_DATA(
      has_solid_label_ || !is_255_solid_,
      "{}: holds {} stray pixel(s) of label {} beside an object of 255. 255 is an object "
      "where it is alone, and void beside other labels, so that the object would be "
      "lost: threshold the mask to 0 and 255, or write the object as 1",
      stray_path_,
      stray_pixels_,
      stray_label_);
  return Kind::kVoid;
}

}  // namespace stc::data
