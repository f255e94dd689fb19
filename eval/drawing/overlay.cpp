#include "eval/drawing/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "data/benchmarks/jhmdb.h"
#include "data/file.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

using Color = std::array<std::uint8_t, 3>;

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
Color bright_color(std::uint8_t label) {
  auto color = data::palette_color(label);
  const int strongest = std::max({color[0], color[1], color[2], std::uint8_t{1}});
  for (auto& c : color) c = static_cast<std::uint8_t>(c * 255 / strongest);
  return color;
}

std::uint8_t rounded(double value) { return static_cast<std::uint8_t>(std::lround(value)); }

std::uint8_t* pixel_of(data::Image& image, int y, int x) {
  return image.pixels.data() + (static_cast<std::size_t>(y) * image.width + x) * 3;
}

/// Covers `share` of the pixel.
void blend(const Color& color, double share, std::uint8_t* pixel) {
  for (int c = 0; c < 3; ++c) pixel[c] = rounded((1 - share) * pixel[c] + share * color[c]);
}

struct Point {
  double x, y;
};

Color color_of(int joint) {
  const std::string_view name = data::kJointNames[joint];
  if (name.starts_with("right")) return {255, 150, 30};
  if (name.starts_with("left")) return {60, 150, 255};
  return {80, 230, 80};
}

double distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  const double along =
      length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0;
  return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

// A line with round ends; its edge fades over one pixel. A disc if a equals b.
void draw(Point a, Point b, double radius, const Color& color, data::Image* image) {
  const auto bound = [](double value, int size) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(size)));
  };
  const double reach = radius + 1;
  const int top = bound(std::min(a.y, b.y) - reach, image->height);
  const int bottom = bound(std::max(a.y, b.y) + reach + 1, image->height);
  const int left = bound(std::min(a.x, b.x) - reach, image->width);
  const int right = bound(std::max(a.x, b.x) + reach + 1, image->width);
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) {
      const double distance = distance_to_segment({1.0 * x, 1.0 * y}, a, b);
      const double share = std::clamp(radius + 0.5 - distance, 0.0, 1.0);
      blend(color, share, pixel_of(*image, y, x));
    }
  }
}

namespace fs = std::filesystem;

constexpr int kQuality = 90;
constexpr int kGap = 4;
constexpr double kFramesPerSecond = 24;  // of all three data sets, about

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
      blend(color, share, pixel_of(out, y, x));
    }
  }
  return out;
}

data::Image pose_overlay(const data::Image& image, const at::Tensor& points) {
  STC_CHECK(points.dim() == 2 && points.size(0) == data::kJointCount && points.size(1) == 2,
            "key points are {}; expected [{}, 2]",
            points.sizes(),
            data::kJointCount);
  const auto positions = points.accessor<double, 2>();
  const auto is_found = [&](int joint) { return positions[joint][0] >= 0; };
  const auto place = [&](int joint) { return Point{positions[joint][0], positions[joint][1]}; };
  const double radius = std::max(1.0, image.height / 200.0);
  data::Image out = image;
  for (int joint = 0; joint < data::kJointCount; ++joint) {
    const int parent = data::kJointParents[joint];
    if (is_found(joint) && is_found(parent))
      draw(place(joint), place(parent), radius, color_of(joint), &out);
  }
  for (int joint = 0; joint < data::kJointCount; ++joint)
    if (is_found(joint)) draw(place(joint), place(joint), 2.2 * radius, color_of(joint), &out);
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
          for (int u = left; u < right; ++u) sum += image.at(v, u)[c];
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

OverlayFiles::OverlayFiles(const std::string& out, const std::string& clip)
    : folder_((fs::path(out) / "overlays" / clip).string()) {
  fs::create_directories(fs::path(folder_) / kTruthFolder);
}

void OverlayFiles::add(const std::string& frame,
                       const data::Image& found,
                       const data::Image& truth) {
  const auto write = [&](const fs::path& folder, const data::Image& picture) {
    data::write_file((folder / (frame + ".jpg")).string(), data::encode_jpeg(picture, kQuality));
  };
  write(folder_, found);
  write(fs::path(folder_) / kTruthFolder, truth);
  const auto both = contact_sheet({{found, truth}}, kGap);
  if (!video_)
    video_ = data::VideoWriter::create(folder_ + ".mp4", both.height, both.width, kFramesPerSecond);
  video_->add(both);
}

void OverlayFiles::finish() { video_->finish(); }

}  // namespace stc::eval
