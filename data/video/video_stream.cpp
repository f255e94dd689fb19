#include "data/video/video_stream.h"

#include <algorithm>
#include <string_view>

#include "data/file.h"
#include "data/video/picture.h"
#include "data/video/video_file.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

/// Playlists may name files elsewhere, and a name with %d is no pattern of many files.
InputFormat open_format(const std::string& path) {
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file", 0);
  av_dict_set(&options, "pattern_type", "none", 0);
  AVFormatContext* file = nullptr;
  const int result = avformat_open_input(&file, ffmpeg_url(path).c_str(), nullptr, &options);
  av_dict_free(&options);
  STC_CHECK_DATA(result >= 0,
                 "{}: does not open as a video ({}); expected a file that FFmpeg decodes (mp4, "
                 "mkv, avi, ...)",
                 path,
                 ffmpeg_error(result));
  return InputFormat(file);
}

/// FFmpeg draws text files as a terminal would.
bool is_drawn_text(const AVCodecParameters& codec) {
  constexpr AVCodecID kText[] = {
      AV_CODEC_ID_ANSI, AV_CODEC_ID_BINTEXT, AV_CODEC_ID_XBIN, AV_CODEC_ID_IDF};
  return std::find(std::begin(kText), std::end(kText), codec.codec_id) != std::end(kText);
}

bool is_video(const AVStream& stream) {
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
         (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) == 0 &&
         !is_drawn_text(*stream.codecpar);
}

/// As the ffmpeg program chooses: the one marked as default, else the largest.
std::int64_t rank_of(const AVStream& stream) {
  const bool has_packets = (stream.event_flags & AVSTREAM_EVENT_FLAG_NEW_PACKETS) != 0;
  const bool is_default = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
  return std::int64_t{stream.codecpar->width} * stream.codecpar->height +
         (has_packets ? 100'000'000 : 0) + (is_default ? 5'000'000 : 0);
}

std::vector<AVStream*> videos_of(const AVFormatContext& file) {
  std::vector<AVStream*> videos;
  std::copy_if(file.streams,
               file.streams + file.nb_streams,
               std::back_inserter(videos),
               [](const AVStream* stream) { return is_video(*stream); });
  return videos;
}

bool is_damaged(const AVFrame& frame) {
  return frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

/// Samples that an index promises exactly, edit lists applied; 0 if the container only estimates.
std::int64_t exact_length(const AVFormatContext& file, AVStream& stream) {
  const bool is_mp4 = std::string_view(file.iformat->name).find("mp4") != std::string_view::npos;
  return is_mp4 ? avformat_index_get_entries_count(&stream) : 0;
}

}  // namespace

VideoStream::VideoStream(const std::string& path) : path_(path), packet_(av_packet_alloc()) {
  const InputFile input(path);
  STC_CHECK_DATA(input.size() > 0, "{}: is empty; expected a video", path);
  listen_to_ffmpeg();
  file_ = open_format(path);
  STC_CHECK(packet_ != nullptr, "out of memory for a packet");
  avformat_find_stream_info(file_.get(), nullptr);
  const auto videos = videos_of(*file_);
  STC_CHECK_DATA(!videos.empty(),
                 "{}: holds no video ({} streams: sound, cover pictures, subtitles or text)",
                 path,
                 file_->nb_streams);
  stream_ = *std::max_element(videos.begin(), videos.end(), [](const auto* a, const auto* b) {
    return rank_of(*a) < rank_of(*b);
  });
  if (videos.size() > 1)
    choice_ = text("{} video streams, of which stream {} ({} x {} pixels) is taken",
                   videos.size(),
                   stream_->index,
                   stream_->codecpar->width,
                   stream_->codecpar->height);
  for (unsigned i = 0; i < file_->nb_streams; ++i) {
    if (file_->streams[i] != stream_) file_->streams[i]->discard = AVDISCARD_ALL;
  }
  open_decoder();
}

void VideoStream::open_decoder() {
  const auto id = stream_->codecpar->codec_id;
  const auto* decoder = avcodec_find_decoder(id);
  STC_CHECK_DATA(decoder != nullptr,
                 "{}: its video is {}, which the FFmpeg of this machine does not decode",
                 path_,
                 avcodec_get_name(id));
  codec_.reset(avcodec_alloc_context3(decoder));
  STC_CHECK(codec_ && avcodec_parameters_to_context(codec_.get(), stream_->codecpar) >= 0,
            "out of memory for a decoder");
  codec_->pkt_timebase = stream_->time_base;
  codec_->framerate = stream_->avg_frame_rate;
  codec_->opaque = &concealed_;
  codec_->thread_count = 0;  // as many as there are cores
  const int result = avcodec_open2(codec_.get(), decoder, nullptr);
  STC_CHECK_DATA(result >= 0,
                 "{}: its {} video cannot be decoded: {}",
                 path_,
                 avcodec_get_name(id),
                 ffmpeg_error(result));
}

void VideoStream::name_damage() {
  auto& named = damage_.first_numbers;
  if (named.size() < VideoDamage::kMaxNamed && (named.empty() || named.back() != damage_.read))
    named.push_back(damage_.read);
}

void VideoStream::count_loss() {
  ++damage_.lost;
  name_damage();
}

/// By its flags, or by what was concealed until now: whichever counts more. Decoding threads run
/// ahead, so only a flag names its frame.
void VideoStream::count_damage(const AVFrame& frame) {
  if (is_damaged(frame)) {
    ++flagged_;
    name_damage();
  }
  damage_.frames = std::max(flagged_, concealed_.load());
}

/// False after the last packet.
bool VideoStream::send_next_packet() {
  if (is_at_end_) return false;
  int result = 0;
  do {
    av_packet_unref(packet_.get());
    result = av_read_frame(file_.get(), packet_.get());
  } while (result >= 0 && packet_->stream_index != stream_->index);
  if (result < 0) {
    is_at_end_ = true;
    if (result != AVERROR_EOF)
      damage_.cut_short =
          text("reading ends after frame {}: {}", damage_.read, ffmpeg_error(result));
    avcodec_send_packet(codec_.get(), nullptr);
    return true;
  }
  ++packets_;
  if (avcodec_send_packet(codec_.get(), packet_.get()) < 0) count_loss();
  return true;
}

Frame VideoStream::next() {
  Frame frame(av_frame_alloc());
  STC_CHECK(frame != nullptr, "out of memory for a frame");
  for (;;) {
    const int result = avcodec_receive_frame(codec_.get(), frame.get());
    if (result >= 0) break;
    if (result == AVERROR_EOF || (result == AVERROR(EAGAIN) && !send_next_packet())) {
      check_length();
      return nullptr;
    }
    if (result != AVERROR(EAGAIN)) count_loss();
  }
  count_damage(*frame);
  ++damage_.read;
  // Times that are missing or go back follow the frame before.
  auto& time = frame->best_effort_timestamp;
  if (last_time_ != AV_NOPTS_VALUE && (time == AV_NOPTS_VALUE || time <= last_time_))
    time = last_time_ + std::max<std::int64_t>(1, frame_duration(*frame));
  last_time_ = time == AV_NOPTS_VALUE ? 0 : time;
  return frame;
}

/// An mp4's index is exact; the headers of others are rough, which is a remark's matter.
void VideoStream::check_length() {
  damage_.frames = std::max(flagged_, concealed_.load());
  const auto exact = exact_length(*file_, *stream_);
  if (packets_ >= exact || !damage_.cut_short.empty()) return;
  damage_.cut_short = text("it ends after {} of {} frames, cut short", packets_, exact);
}

std::int64_t VideoStream::promised() const {
  if (stream_->nb_frames > 0) return stream_->nb_frames;
  const double seconds = stream_->duration != AV_NOPTS_VALUE
                             ? static_cast<double>(stream_->duration) * av_q2d(stream_->time_base)
                             : static_cast<double>(file_->duration) / AV_TIME_BASE;
  return seconds > 0 ? static_cast<std::int64_t>(seconds * frames_per_second()) : 0;
}

double VideoStream::frames_per_second() const {
  for (const auto rate : {stream_->avg_frame_rate, stream_->r_frame_rate}) {
    const double value = rate.den > 0 ? av_q2d(rate) : 0;
    if (value > 0.1 && value < 1000) return value;
  }
  return kUnknownRate;
}

AVRational VideoStream::sample_aspect_ratio(const AVFrame& frame) const {
  return av_guess_sample_aspect_ratio(
      file_.get(), stream_, const_cast<AVFrame*>(&frame));  // only read
}

std::optional<int> VideoStream::orientation(const AVFrame& frame) const {
  const auto* of_frame = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  const void* matrix =
      of_frame != nullptr ? of_frame->data : stream_side_data(*stream_, AV_PKT_DATA_DISPLAYMATRIX);
  return orientation_of(static_cast<const std::int32_t*>(matrix));
}

}  // namespace stc::data
