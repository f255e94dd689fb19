// A video file, decoded by FFmpeg's libraries. Private to data/video.
#pragma once

#include <memory>
#include <string>

#include "data/video/frame_source.h"

namespace stc::data {

constexpr double kUnknownRate = 25.0;

/// As FrameSource::open().
std::unique_ptr<FrameSource> open_video_file(const std::string& path, double frames_per_second);

}  // namespace stc::data
