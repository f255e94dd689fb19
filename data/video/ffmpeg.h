// What of FFmpeg's C interface has an owner, and what changed its name between versions. Private to
// data/video. From FFmpeg 4.4 (Ubuntu 22.04).
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace stc::data {

/// Calls FFmpeg's `free(&pointer)`.
template <auto free>
struct FfmpegFree {
  template <typename T>
  void operator()(T* pointer) const {
    free(&pointer);
  }
};
using InputFormat = std::unique_ptr<AVFormatContext, FfmpegFree<avformat_close_input>>;
using Codec = std::unique_ptr<AVCodecContext, FfmpegFree<avcodec_free_context>>;
using Frame = std::unique_ptr<AVFrame, FfmpegFree<av_frame_free>>;
using Packet = std::unique_ptr<AVPacket, FfmpegFree<av_packet_free>>;

struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;

/// FFmpeg prints several lines for a video that does not open; our error says it once. Its one
/// message that is needed, that a picture is concealed, is counted instead: the frame's flag can be
/// set after the frame was given, when several threads decode. AVCodecContext::opaque, if set, is
/// the std::atomic<std::int64_t> that counts.
inline void listen_to_ffmpeg() {
  static std::once_flag once;
  std::call_once(once, [] {
    av_log_set_callback([](void* context, int /*level*/, const char* format, va_list) {
      const auto* kind = context == nullptr ? nullptr : *static_cast<const AVClass**>(context);
      if (kind != avcodec_get_class() || !std::string_view(format).starts_with("concealing"))
        return;
      auto* concealed = static_cast<AVCodecContext*>(context)->opaque;
      if (concealed != nullptr) ++*static_cast<std::atomic<std::int64_t>*>(concealed);
    });
  });
}

inline std::string ffmpeg_error(int code) {
  char buffer[AV_ERROR_MAX_STRING_SIZE];
  return av_strerror(code, buffer, sizeof(buffer)) < 0 ? "unknown error" : buffer;
}

/// With its protocol, and absolute: FFmpeg takes the "random" of random:1/a.mp4 for a protocol.
inline std::string ffmpeg_url(const std::string& path) {
  return "file:" + std::filesystem::absolute(path).string();
}

/// Nullptr if there is none.
inline const void* stream_side_data(const AVStream& stream, AVPacketSideDataType type) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
  const auto* found = av_packet_side_data_get(
      stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, type);
  return found == nullptr ? nullptr : found->data;
#else
  return av_stream_get_side_data(&stream, type, nullptr);
#endif
}

/// In the units of the stream; 0 if unknown.
inline std::int64_t frame_duration(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
  return frame.duration;
#else
  return frame.pkt_duration;
#endif
}

inline bool is_interlaced(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return frame.interlaced_frame != 0;
#endif
}

}  // namespace stc::data
