#include "data/images/video_writer.h"

#include <cstdint>
#include <filesystem>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include "data/images/silence_decoders.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

class H264Writer : public VideoWriter {
 public:
  // yuv420p halves both sides, so they are made even: the last row and column are repeated.
  H264Writer(const std::string& path, int height, int width, double frames_per_second)
      : path_(path),
        file_(std::filesystem::absolute(path).string()),
        height_(height),
        width_(width) {
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
    remove();
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
  void remove() const {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  std::string path_;
  std::string file_;  // absolute: FFmpeg takes the "random" of random:1/a.mp4 for a protocol
  int height_;
  int width_;
  cv::VideoWriter video_;
  std::int64_t frames_ = 0;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<VideoWriter> VideoWriter::create(const std::string& path,
                                                 int height,
                                                 int width,
                                                 double frames_per_second) {
  return std::make_unique<H264Writer>(path, height, width, frames_per_second);
}

}  // namespace stc::data
