// Small DAVIS trees for tests: masks are written as their creator says.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "data/images/image.h"

namespace stc::test {

inline data::LabelMap label_map(int height, int width, std::uint8_t label = 0) {
  return {
      height, width, std::vector<std::uint8_t>(static_cast<std::size_t>(height) * width, label)};
}

inline void fill_box(
    data::LabelMap& map, int top, int left, int height, int width, std::uint8_t label) {
  for (int y = top; y < top + height; ++y) {
    for (int x = left; x < left + width; ++x) {
      map.labels[static_cast<std::size_t>(y) * map.width + x] = label;
    }
  }
}

/// A disc of 255 whose rim is anti-aliased to steps of 255 / levels: 85 and 170 for three.
inline data::LabelMap soft_disc(int side, int levels) {
  auto map = label_map(side, side);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const double u = x - side / 2.0, v = y - side / 2.0;
      const double inside = side / 4.0 + 0.5 * levels - 1 - std::sqrt(u * u + v * v);
      const int level = std::clamp(static_cast<int>(inside) + 1, 0, levels);
      map.labels[static_cast<std::size_t>(y) * side + x] =
          static_cast<std::uint8_t>(inside < 0 ? 0 : 255 * level / levels);
    }
  }
  return map;
}

/// folder/00000.png, 00001.png, ...
inline std::string mask_path(const std::filesystem::path& folder, int frame) {
  std::string digits = std::to_string(frame);
  return (folder / (std::string(5 - digits.size(), '0') + digits + ".png")).string();
}

inline void write_mask(const std::filesystem::path& folder, int frame, const data::LabelMap& map) {
  std::filesystem::create_directories(folder);
  data::write_label_png(mask_path(folder, frame), map);
}

inline void write_text_file(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

}  // namespace stc::test
