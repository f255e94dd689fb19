#include "data/video/frame_source.h"

#include <filesystem>

#include "data/video/video_file.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

class ImageFolder : public FrameSource {
 public:
  explicit ImageFolder(const std::string& path) : files_(list_images(path)) {
    STC_CHECK_DATA(
        !files_.empty(), "{}: holds no JPEG or PNG image; expected the frames of one video", path);
  }

  std::optional<DecodedFrame> next_frame() override {
    if (next_ == files_.size()) return std::nullopt;
    return [path = files_[next_++]] { return read_image(path); };
  }

  double frames_per_second() const override { return kUnknownRate; }
  const VideoDamage& damage() const override { return no_damage_; }
  const std::vector<std::string>& remarks() const override { return no_remarks_; }

 private:
  std::vector<std::string> files_;
  std::size_t next_ = 0;
  VideoDamage no_damage_;  // a damaged image throws
  std::vector<std::string> no_remarks_;
};

}  // namespace

std::string VideoDamage::say() const {
  std::vector<std::string> parts;
  if (frames > 0)
    parts.push_back(text("{} of {} frames {} damaged", frames, read, frames == 1 ? "is" : "are"));
  if (lost > 0)
    parts.push_back(text("{} frame{} could not be decoded", lost, lost == 1 ? "" : "s"));
  if (!first_numbers.empty()) {
    std::string numbers;
    for (const auto number : first_numbers)
      numbers += text("{}{}", numbers.empty() ? "" : ", ", number);
    const bool are_all = static_cast<std::int64_t>(first_numbers.size()) == frames + lost;
    parts.back() += text(" (at frame {}{})", numbers, are_all ? "" : ", ...");
  }
  if (!cut_short.empty()) parts.push_back(cut_short);
  std::string said;
  for (const auto& part : parts) said += (said.empty() ? "" : "; ") + part;
  return said;
}

std::unique_ptr<FrameSource> FrameSource::open(const std::string& path, double frames_per_second) {
  if (!fs::is_directory(path)) return open_video_file(path, frames_per_second);
  STC_CHECK_USAGE(frames_per_second == 0,
                  "--fps {}: {} is a folder of images, which have no times; --fps is for video "
                  "files",
                  frames_per_second,
                  path);
  return std::make_unique<ImageFolder>(path);
}

}  // namespace stc::data
