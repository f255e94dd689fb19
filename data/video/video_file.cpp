#include "data/video/video_file.h"

#include <algorithm>
#include <array>

#include "data/file.h"
#include "data/video/picture.h"
#include "data/video/video_stream.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

class VideoFile : public FrameSource {
 public:
  VideoFile(const std::string& path, double frames_per_second)
      : path_(path), stream_(path), rate_(av_d2q(frames_per_second, 1001000)) {
    if (!stream_.choice().empty()) remarks_.push_back(stream_.choice());
    decode();
    STC_CHECK_DATA(ahead_, "{}: holds no frame that can be decoded", path);
    slot_ = slot_of(ahead_->best_effort_timestamp);
  }

  std::optional<DecodedFrame> next_frame() override {
    if (rate_.num == 0) {
      if (!ahead_) return std::nullopt;
      show_next();
      return deferred();
    }
    while (slot_ >= end_) {
      if (!ahead_) return std::nullopt;
      show_next();
    }
    ++slot_;
    return deferred();
  }

  double frames_per_second() const override {
    return rate_.num == 0 ? stream_.frames_per_second() : av_q2d(rate_);
  }
  const VideoDamage& damage() const override { return stream_.damage(); }
  const std::vector<std::string>& remarks() const override { return remarks_; }

 private:
  /// One frame is read ahead, so that a video without frames is known at once.
  void decode() {
    ahead_ = stream_.next();
    ahead_ ? remark_on(*ahead_) : remark_on_length();
  }

  /// The frame ahead is shown until the next begins, the last one for its own duration.
  void show_next() {
    shown_ = std::move(ahead_);
    decode();
    const auto begin = shown_->best_effort_timestamp;
    end_ = slot_of(ahead_ ? ahead_->best_effort_timestamp : begin + frame_duration(*shown_));
  }

  /// Number of the output frame that begins next to a time.
  std::int64_t slot_of(std::int64_t time) const {
    if (rate_.num == 0 || time == AV_NOPTS_VALUE) return 0;
    return av_rescale_q_rnd(time, stream_.time_base(), av_inv_q(rate_), AV_ROUND_NEAR_INF);
  }

  /// The frame that is shown, to be converted.
  DecodedFrame deferred() {
    const auto name = text("{}: frame {}", path_, given_++);
    const int orientation = stream_.orientation(*shown_).value_or(1);
    check_size(orientation, name);
    return [frame = shown_, orientation, name] {
      thread_local PictureConverter converter;
      return converter.convert(*frame, orientation, name);
    };
  }

  void check_size(int orientation, const std::string& name) {
    const int height = swaps_sides(orientation) ? shown_->width : shown_->height;
    const int width = swaps_sides(orientation) ? shown_->height : shown_->width;
    if (height_ == 0) {
      height_ = height;
      width_ = width;
    }
    STC_CHECK_DATA(height == height_ && width == width_,
                   "{} has {} x {} pixels (height x width), the first frame {} x {}; cut the video "
                   "where its size changes",
                   name,
                   height,
                   width,
                   height_,
                   width_);
  }

  void remark(const std::string& what) {
    if (std::find(remarks_.begin(), remarks_.end(), what) == remarks_.end())
      remarks_.push_back(what);
  }

  // The count is an estimate in most containers, hence some slack.
  void remark_on_length() {
    const auto promised = stream_.promised();
    const auto& damage = stream_.damage();
    if (!damage.cut_short.empty() || damage.read >= 0.9 * promised - 2) return;
    remark(text(
        "only {} of about {} frames: the file may be damaged or cut short", damage.read, promised));
  }

  void remark_on(const AVFrame& frame) {
    const auto ratio = stream_.sample_aspect_ratio(frame);
    if (ratio.num > 0 && ratio.den > 0 && ratio.num != ratio.den)
      remark(text("pixels that are not square (sample aspect ratio {}:{}), kept as stored",
                  ratio.num,
                  ratio.den));
    if (is_interlaced(frame))
      remark("interlaced frames, kept so; `ffmpeg -vf yadif` makes whole frames of them");
    if (frame.color_trc == AVCOL_TRC_SMPTE2084 || frame.color_trc == AVCOL_TRC_ARIB_STD_B67)
      remark(text("HDR brightness ({}), kept so: the pictures look flat",
                  av_color_transfer_name(frame.color_trc)));
    if (!stream_.orientation(frame))
      remark("a display matrix whose angle is no multiple of 90 degrees, not applied");
  }

  std::string path_;
  VideoStream stream_;
  Frame ahead_;
  std::vector<std::string> remarks_;
  std::int64_t given_ = 0;
  int height_ = 0;
  int width_ = 0;
  AVRational rate_;
  std::shared_ptr<const AVFrame> shown_;
  // With a rate: the slots before this one show shown_, and the slot that comes next.
  std::int64_t slot_ = 0;
  std::int64_t end_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> open_video_file(const std::string& path, double frames_per_second) {
  return std::make_unique<VideoFile>(path, frames_per_second);
}

}  // namespace stc::data
