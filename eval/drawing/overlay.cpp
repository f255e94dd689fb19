#include "eval/drawing/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "monitoring/check.h"

namespace stc::eval {
namespace {

/// Thick enough to be seen when the picture is made smaller.
int outline_width(int height) { return std::max(1, (height + 80) / 160); }

/// A labelled pixel with another label at most `width` pixels away along a row or a column.
bool on_outline(const data::LabelMap& map, int y, int x, int width) {
  const auto here = map.at(y, x);
  for (int d = 1; d <= width; ++d) {
    if (y >= d && map.at(y - d, x) != here) return true;
    if (x >= d && map.at(y, x - d) != here) return true;
    if (y + d < map.height && map.at(y + d, x) != here) return true;
    if (x + d < map.width && map.at(y, x + d) != here) return true;
  }
  return false;
}

/// The palette's colour at full strength: its (128, 0, 0) is hard to tell from shade.
std::array<std::uint8_t, 3> bright_color(std::uint8_t label) {
  auto color = data::palette_color(label);
  const int strongest = std::max({color[0], color[1], color[2], std::uint8_t{1}});
  for (auto& c : color) c = static_cast<std::uint8_t>(c * 255 / strongest);
  return color;
}

std::uint8_t rounded(double value) { return static_cast<std::uint8_t>(std::lround(value)); }

}  // namespace

data::Image overlay(const data::Image& image, const data::LabelMap& labels, double opacity) {
  STC_CHECK(image.height == labels.height && image.width == labels.width,
            "labels of {}x{} over an image of {}x{}; equal sizes are expected",
            labels.height,
            labels.width,
            image.height,
            image.width);
  data::Image out = image;
  const int width = outline_width(image.height);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const auto label = labels.at(y, x);
      if (label == 0) continue;
      const auto color = bright_color(label);
      const double share = on_outline(labels, y, x, width) ? 1 : opacity;
      auto* pixel = out.pixels.data() + (static_cast<std::size_t>(y) * image.width + x) * 3;
      for (int c = 0; c < 3; ++c) pixel[c] = rounded((1 - share) * pixel[c] + share * color[c]);
    }
  }
  return out;
}

data::Image shrink(const data::Image& image, int height) {
  if (image.height <= height) return image;
  const int width = std::max(1, image.width * height / image.height);
  data::Image out{height, width, {}};
  out.pixels.reserve(static_cast<std::size_t>(height) * width * 3);
  for (int y = 0; y < height; ++y) {
    const int top = y * image.height / height;
    const int bottom = (y + 1) * image.height / height;
    for (int x = 0; x < width; ++x) {
      const int left = x * image.width / width;
      const int right = (x + 1) * image.width / width;
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int v = top; v < bottom; ++v) {
          for (int u = left; u < right; ++u) {
            sum += image.pixels[(static_cast<std::size_t>(v) * image.width + u) * 3 + c];
          }
        }
        out.pixels.push_back(rounded(static_cast<double>(sum) / ((bottom - top) * (right - left))));
      }
    }
  }
  return out;
}

data::Image contact_sheet(const std::vector<std::vector<data::Image>>& rows, int gap) {
  data::Image sheet;
  for (const auto& row : rows) {
    int height = 0;
    int width = -gap;
    for (const auto& picture : row) {
      height = std::max(height, picture.height);
      width += picture.width + gap;
    }
    sheet.height += height + (sheet.height > 0 ? gap : 0);
    sheet.width = std::max(sheet.width, width);
  }
  sheet.pixels.assign(static_cast<std::size_t>(sheet.height) * sheet.width * 3, 255);
  int top = 0;
  for (const auto& row : rows) {
    int left = 0;
    int height = 0;
    for (const auto& picture : row) {
      const auto line = static_cast<std::ptrdiff_t>(picture.width) * 3;
      for (int y = 0; y < picture.height; ++y) {
        const auto* from = picture.pixels.data() + y * line;
        const auto to = (static_cast<std::size_t>(top + y) * sheet.width + left) * 3;
        std::copy(from, from + line, sheet.pixels.begin() + static_cast<std::ptrdiff_t>(to));
      }
      left += picture.width + gap;
      height = std::max(height, picture.height);
    }
    top += height + gap;
  }
  return sheet;
}

}  // namespace stc::eval
