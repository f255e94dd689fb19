#include "data/images/video.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include "data/file.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

/// OpenCV and FFmpeg print several lines for a video that does not open; our error says it once. To
/// be called before the first use of either; a user's own OPENCV_FFMPEG_LOGLEVEL is kept.
void silence_decoders() {
  static std::once_flag once;
  std::call_once(once, [] {
    // FFmpeg takes its level from the environment alone.
    ::setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", /*overwrite=*/0);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  });
}

/// Absolute: FFmpeg takes the "random" of random:1/a.mp4 for a protocol.
std::string path_for_ffmpeg(const std::string& path) { return fs::absolute(path).string(); }

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
      if (opening && !video_.open(path_for_ffmpeg(path_), cv::CAP_FFMPEG)) return false;
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

class H264Writer : public VideoWriter {
 public:
  // yuv420p halves both sides, so they are made even: the last row and column are repeated.
  H264Writer(const std::string& path, int height, int width, double frames_per_second)
      : path_(path), file_(path_for_ffmpeg(path)), height_(height), width_(width) {
    STC_CHECK(height > 0 && width > 0 && frames_per_second > 0,
              "{}: a video of {} x {} pixels at {} frames per second cannot be written",
              path,
              height,
              width,
              frames_per_second);
    silence_decoders();
    const cv::Size even((width + 1) / 2 * 2, (height + 1) / 2 * 2);
    const int avc1 = cv::VideoWriter::fourcc('a', 'v', 'c', '1');
    bool is_open = false;
    try {
      is_open = video_.open(file_, cv::CAP_FFMPEG, avc1, frames_per_second, even);
    } catch (const cv::Exception&) {
      is_open = false;
    }
    STC_CHECK(is_open,
              "{}: cannot be written as an H.264 mp4; is the folder there and writable, and does "
              "this OpenCV's FFmpeg have libx264?",
              path);
  }

  ~H264Writer() override {
    if (finished_) return;
    video_.release();
    std::error_code ignored;
    fs::remove(path_, ignored);
  }

  void add(const Image& frame) override {
    STC_CHECK(frame.height == height_ && frame.width == width_,
              "{}: frame {} is {} x {}, the video {} x {}",
              path_,
              frames_,
              frame.height,
              frame.width,
              height_,
              width_);
    const cv::Mat rgb(height_, width_, CV_8UC3, const_cast<std::uint8_t*>(frame.pixels.data()));
    cv::Mat bgr;
    cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
    cv::copyMakeBorder(bgr, bgr, 0, height_ % 2, 0, width_ % 2, cv::BORDER_REPLICATE);
    video_.write(bgr);
    ++frames_;
  }

  // OpenCV does not report a failed write, so the finished file is opened again and asked for its
  // frames.
  void finish() override {
    video_.release();
    cv::VideoCapture back(file_, cv::CAP_FFMPEG);
    const auto found =
        back.isOpened() ? static_cast<std::int64_t>(back.get(cv::CAP_PROP_FRAME_COUNT)) : 0;
    back.release();
    STC_CHECK(found == frames_,
              "{}: holds {} of {} frames after writing; is the disk full?",
              path_,
              found,
              frames_);
    finished_ = true;
  }

 private:
  std::string path_;
  std::string file_;
  int height_;
  int width_;
  cv::VideoWriter video_;
  std::int64_t frames_ = 0;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<FrameSource> FrameSource::open(const std::string& path) {
  if (fs::is_directory(path)) return std::make_unique<ImageFolder>(path);
  return std::make_unique<VideoFile>(path);
}

std::unique_ptr<VideoWriter> VideoWriter::create(const std::string& path,
                                                 int height,
                                                 int width,
                                                 double frames_per_second) {
  return std::make_unique<H264Writer>(path, height, width, frames_per_second);
}

}  // namespace stc::data
