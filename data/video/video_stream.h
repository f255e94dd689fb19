// The decoded frames of one stream of a file, and what of it is damaged. Private to data/video.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "data/video/ffmpeg.h"
#include "data/video/frame_source.h"

namespace stc::data {

class VideoStream {
 public:
  /// Throws stc::Error (kBadData) naming the path if it does not open, holds no video, or holds one
  /// that this FFmpeg does not decode.
  explicit VideoStream(const std::string& path);

  /// In the order of presentation; nullptr at the end.
  Frame next();

  double frames_per_second() const;
  AVRational time_base() const { return stream_->time_base; }
  AVRational sample_aspect_ratio(const AVFrame& frame) const;
  /// EXIF's, of the frame or else of the stream; nullopt as of orientation_of().
  std::optional<int> orientation(const AVFrame& frame) const;
  /// Which of several streams this is; empty if there is only one.
  const std::string& choice() const { return choice_; }
  const VideoDamage& damage() const { return damage_; }
  /// Frames that the file promises, exactly or not; 0 if unknown.
  std::int64_t promised() const;

 private:
  void open_decoder();
  bool send_next_packet();
  void name_damage();
  void count_loss();
  void count_damage(const AVFrame& frame);
  void check_length();

  std::string path_;
  InputFormat file_;
  AVStream* stream_ = nullptr;
  std::string choice_;
  std::atomic<std::int64_t> concealed_ = 0;  // before codec_, whose threads count
  Codec codec_;
  Packet packet_;
  bool is_at_end_ = false;
  std::int64_t packets_ = 0;
  std::int64_t flagged_ = 0;
  std::int64_t last_time_ = AV_NOPTS_VALUE;
  VideoDamage damage_;
};

}  // namespace stc::data
