#include "eval/scores/prediction_files.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "data/benchmarks/jhmdb.h"
#include "data/file.h"
#include "eval/scores/score_tables.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHeader = "frame,joint,x,y";
constexpr std::int64_t kMaxFrames = 1'000'000;

struct Line {
  std::int64_t frame = 0, joint = 0;
  double x = 0, y = 0;
};

std::optional<Line> parse(const std::string& text) {
  std::istringstream in(text);
  Line line;
  char first = 0, second = 0, third = 0;
  std::string more;
  in >> line.frame >> first >> line.joint >> second >> line.x >> third >> line.y;
  const bool is_whole =
      !in.fail() && first == ',' && second == ',' && third == ',' && !(in >> more);
  const bool is_in_range = line.frame >= 0 && line.frame < kMaxFrames && line.joint >= 0 &&
                           line.joint < data::kJointCount;
  if (!is_whole || !is_in_range || !std::isfinite(line.x) || !std::isfinite(line.y))
    return std::nullopt;
  return line;
}

std::vector<Line> read_lines(const std::string& path) {
  std::ifstream file(path);
  STC_CHECK_DATA(file, "{}: no such prediction; expected key points, a file for each clip", path);
  std::string text_line;
  std::getline(file, text_line);
  if (text_line.ends_with('\r')) text_line.pop_back();
  STC_CHECK_DATA(text_line == kHeader,
                 "{}: starts with '{}'; expected the line {}",
                 path,
                 text_line.substr(0, 40),
                 kHeader);
  std::vector<Line> lines;
  for (std::int64_t number = 2; std::getline(file, text_line); ++number) {
    if (text_line.find_first_not_of(" \r") == std::string::npos) continue;
    const auto line = parse(text_line);
    STC_CHECK_DATA(
        line,
        "{}:{}: is '{}'; expected {} with frames from 0, joints 0 to {} and positions in pixels",
        path,
        number,
        text_line.substr(0, 80),
        kHeader,
        data::kJointCount - 1);
    lines.push_back(*line);
  }
  STC_CHECK_DATA(!lines.empty(), "{}: holds no key point", path);
  return lines;
}

}  // namespace

std::string predicted_path(const std::string& folder,
                           const std::string& clip,
                           const std::string& annotation) {
  return (fs::path(folder) / clip / fs::path(annotation).filename()).string();
}

void check_same_size(const std::string& path,
                     const data::LabelMap& prediction,
                     const data::LabelMap& truth) {
  STC_CHECK_DATA(prediction.height == truth.height && prediction.width == truth.width,
                 "{}: is {}x{} (height x width); its truth is {}x{}. Predictions are scored at the "
                 "size of the truth",
                 path,
                 prediction.height,
                 prediction.width,
                 truth.height,
                 truth.width);
}

std::string key_points_path(const std::string& folder, const std::string& clip) {
  return (fs::path(folder) / (clip + ".csv")).string();
}

void write_key_points(const std::string& path, const at::Tensor& points) {
  const auto positions = points.accessor<double, 3>();
  std::string content = text("{}\n", kHeader);
  for (std::int64_t t = 0; t < points.size(0); ++t)
    for (std::int64_t joint = 0; joint < points.size(1); ++joint)
      content += text(
          "{},{},{},{}\n", t, joint, exact(positions[t][joint][0]), exact(positions[t][joint][1]));
  data::write_text(path, content);
}

at::Tensor read_key_points(const std::string& path) {
  const auto lines = read_lines(path);
  std::int64_t frames = 0;
  for (const auto& line : lines) frames = std::max(frames, line.frame + 1);
  auto points = at::empty({frames, data::kJointCount, 2}, at::kDouble);
  auto positions = points.accessor<double, 3>();
  std::vector<bool> is_seen(frames * data::kJointCount);
  for (const auto& line : lines) {
    const auto place = line.frame * data::kJointCount + line.joint;
    STC_CHECK_DATA(
        !is_seen[place], "{}: holds joint {} of frame {} twice", path, line.joint, line.frame);
    is_seen[place] = true;
    positions[line.frame][line.joint][0] = line.x;
    positions[line.frame][line.joint][1] = line.y;
  }
  const auto absent = std::find(is_seen.begin(), is_seen.end(), false) - is_seen.begin();
  STC_CHECK_DATA(
      absent == static_cast<std::ptrdiff_t>(is_seen.size()),
      "{}: holds no joint {} of frame {}; expected all of them, -1,-1 for one that was not found",
      path,
      absent % data::kJointCount,
      absent / data::kJointCount);
  // Points that were not found are at -1.
  const double largest = points.max().item<double>();
  STC_CHECK_DATA(largest <= 0 || largest > 1,
                 "{}: all positions are within 0 and 1; expected pixels, not shares of the picture",
                 path);
  return points;
}

}  // namespace stc::eval
