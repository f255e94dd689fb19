#include "data/versions.h"

#include <hdf5.h>
#include <wels/codec_api.h>

extern "C" {
#include <libavutil/avutil.h>
}

#include <opencv2/core/utility.hpp>

#include "monitoring/check.h"

namespace stc::data {

std::string hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  STC_CHECK(H5get_libversion(&major, &minor, &release) >= 0, "H5get_libversion failed");
  return text("{}.{}.{}", major, minor, release);
}

bool hdf5_is_thread_safe() {
  hbool_t safe = 0;
  return H5is_library_threadsafe(&safe) >= 0 && safe != 0;
}

std::string ffmpeg_version() {
  const auto h264 = WelsGetCodecVersion();
  return text("{}, OpenH264 {}.{}.{}", av_version_info(), h264.uMajor, h264.uMinor, h264.uRevision);
}

std::string opencv_version() { return cv::getVersionString(); }

}  // namespace stc::data
