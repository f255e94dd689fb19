// Private to data.
#pragma once

namespace stc::data {

/// OpenCV and FFmpeg print several lines for a video that does not open; ours says it once. Comes
/// before the first use of either; a user's own OPENCV_FFMPEG_LOGLEVEL stands.
void silence_decoders();

}  // namespace stc::data
