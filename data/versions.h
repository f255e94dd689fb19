// The libraries behind data, as loaded, for `stc doctor`.
#pragma once

#include <string>

namespace stc::data {

std::string hdf5_version();  ///< "1.10.8"
bool hdf5_is_thread_safe();
std::string opencv_version();  ///< "4.6.0"
std::string ffmpeg_version();  ///< "5.1.9, OpenH264 2.3.1"

}  // namespace stc::data
