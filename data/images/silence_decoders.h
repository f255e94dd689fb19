// Private to data.
#pragma once

namespace stc::data {

/// OpenCV and FFmpeg print several lines for a video that does not open; our error says it once. To
/// be called before the first use of either; a user's own OPENCV_FFMPEG_LOGLEVEL is kept.
void silence_decoders();

}  // namespace stc::data
