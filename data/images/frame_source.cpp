#include "data/images/frame_source.h"

#include <cmath>
#include <filesystem>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include "data/file.h"
#include "data/images/silence_decoders.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

constexpr double kUnknownRate = 25.0;

Image to_image(const cv::Mat& bgr) {
  Image image = blank_image(bgr.rows, bgr.cols);
  cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, image.pixels.data());
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return image;
}

class VideoFile : public FrameSource {
 public:
  explicit VideoFile(const std::string& path) : path_(path) {
    const InputFile exists(path);
    silence_decoders();
    STC_CHECK_DATA(
        advance(/*opening=*/true),
        "{}: does not open as a video; expected a file that FFmpeg decodes (mp4, mkv, avi, ...)",
        path);
    promised_ = video_.get(cv::CAP_PROP_FRAME_COUNT);
    const double rate = video_.get(cv::CAP_PROP_FPS);
    if (std::isfinite(rate) && rate > 0.1 && rate < 1000) rate_ = rate;
  }

  std::optional<Image> next() override {
    if (frame_.empty()) return std::nullopt;
    auto image = to_image(frame_);
    ++given_;
    if (!advance(/*opening=*/false)) warn_if_cut_short();
    return image;
  }

  double frames_per_second() const override { return rate_; }

 private:
  // One frame is read ahead, so that a video without frames is known at once.
  bool advance(bool opening) {
    try {
      // Absolute: FFmpeg takes the "random" of random:1/a.mp4 for a protocol.
      if (opening && !video_.open(fs::absolute(path_).string(), cv::CAP_FFMPEG)) return false;
      if (video_.read(frame_) && frame_.type() == CV_8UC3) return true;
    } catch (const cv::Exception& cause) {
      throw Error(Exit::kBadData,
                  text("{}: frame {} cannot be decoded: {}", path_, given_, cause.err));
    }
    frame_.release();
    return false;
  }

  // The count is an estimate in some containers, hence a warning and some slack.
  void warn_if_cut_short() const {
    if (given_ >= 0.9 * promised_ - 2) return;
    log::warning("{}: only {} of about {} frames could be read; the video may be cut short",
                 path_,
                 given_,
                 promised_);
  }

  std::string path_;
  cv::VideoCapture video_;
  cv::Mat frame_;
  double promised_ = 0;
  double rate_ = kUnknownRate;
  std::int64_t given_ = 0;
};

class ImageFolder : public FrameSource {
 public:
  explicit ImageFolder(const std::string& path) : files_(list_images(path)) {
    STC_CHECK_DATA(
        !files_.empty(), "{}: holds no JPEG or PNG image; expected the frames of one video", path);
  }

  std::optional<Image> next() override {
    if (next_ == files_.size()) return std::nullopt;
    return read_image(files_[next_++]);
  }

  double frames_per_second() const override { return kUnknownRate; }

 private:
  std::vector<std::string> files_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> FrameSource::open(const std::string& path) {
  if (fs::is_directory(path)) return std::make_unique<ImageFolder>(path);
  return std::make_unique<VideoFile>(path);
}

}  // namespace stc::data
