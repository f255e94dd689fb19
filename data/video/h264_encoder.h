// H.264 by OpenH264, which unlike x264 is free of the GPL. Private to data/video.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/video/ffmpeg.h"

class ISVCEncoder;

namespace stc::data {

class H264Encoder {
 public:
  /// Even sides. Throws stc::Error (kFailed) if the encoder does not take the size or rate.
  H264Encoder(int height, int width, double frames_per_second);
  ~H264Encoder();
  H264Encoder(const H264Encoder&) = delete;
  H264Encoder& operator=(const H264Encoder&) = delete;

  /// Most pixels of a picture: level 5.2 of H.264.
  static constexpr std::int64_t kMaxMacroblocks = 36864;

  /// Sequence and picture parameters, in Annex B's form.
  std::vector<std::uint8_t> parameter_sets();
  struct Encoded {
    std::vector<std::uint8_t> bytes;  ///< Annex B
    bool is_key = false;
  };
  Encoded encode(const AVFrame& yuv420p);

 private:
  ISVCEncoder* encoder_ = nullptr;
  int frames_ = 0;
  double frames_per_second_;
};

}  // namespace stc::data
