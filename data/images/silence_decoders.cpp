#include "data/images/silence_decoders.h"

#include <cstdlib>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>

namespace stc::data {

void silence_decoders() {
  static std::once_flag once;
  std::call_once(once, [] {
    // FFmpeg takes its level from the environment alone.
    ::setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", /*overwrite=*/0);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  });
}

}  // namespace stc::data
