#include "data/video/video_writer.h"

#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "data/video/ffmpeg.h"
#include "data/video/h264_encoder.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

struct CloseOutput {
  void operator()(AVFormatContext* file) const {
    avio_closep(&file->pb);
    avformat_free_context(file);
  }
};
using OutputFormat = std::unique_ptr<AVFormatContext, CloseOutput>;

int even(int side) { return (side + 1) / 2 * 2; }

/// How often the sides are halved until the encoder takes the picture.
int halvings(int height, int width) {
  const auto macroblocks = [&](int times) {
    return std::int64_t{((height >> times) + 15) / 16} * (((width >> times) + 15) / 16);
  };
  int times = 0;
  while (macroblocks(times) > H264Encoder::kMaxMacroblocks) ++times;
  return times;
}

class Mp4Writer : public VideoWriter {
 public:
  Mp4Writer(const std::string& path, int height, int width, double frames_per_second)
      : path_(path),
        given_(width, height),
        halvings_(halvings(height, width)),
        size_(even(width >> halvings_), even(height >> halvings_)),
        rate_(av_d2q(frames_per_second, 1001000)),
        encoder_(size_.height, size_.width, frames_per_second) {
    listen_to_ffmpeg();
    make_frame();
    AVFormatContext* file = nullptr;
    check(avformat_alloc_output_context2(&file, nullptr, "mp4", ffmpeg_url(path).c_str()));
    file_.reset(file);
    check(avio_open(&file_->pb, ffmpeg_url(path).c_str(), AVIO_FLAG_WRITE));
    is_begun_ = true;
    add_stream();
    AVDictionary* options = nullptr;
    av_dict_set(&options, "movflags", "+faststart", 0);  // a browser plays it while it loads
    const int result = avformat_write_header(file_.get(), &options);
    av_dict_free(&options);
    check(result);
  }

  ~Mp4Writer() override {
    if (!is_begun_ || is_finished_) return;
    file_.reset();
    std::error_code ignored;
    fs::remove(path_, ignored);
  }

  void add(const Image& frame) override {
    STC_CHECK(frame.height == given_.height && frame.width == given_.width,
              "{}: frame {} is {} x {}, the video {} x {}",
              path_,
              frames_,
              frame.height,
              frame.width,
              given_.height,
              given_.width);
    convert(frame);
    auto encoded = encoder_.encode(*yuv_);
    packet_->data = encoded.bytes.data();
    packet_->size = static_cast<int>(encoded.bytes.size());
    packet_->flags = encoded.is_key ? AV_PKT_FLAG_KEY : 0;
    packet_->pts = packet_->dts = frames_++;
    packet_->duration = 1;
    av_packet_rescale_ts(packet_.get(), av_inv_q(rate_), file_->streams[0]->time_base);
    check(av_write_frame(file_.get(), packet_.get()));
  }

  void finish() override {
    check(av_write_trailer(file_.get()));
    check(avio_closep(&file_->pb));
    is_finished_ = true;
  }

 private:
  void check(int result) const {
    STC_CHECK(result >= 0,
              "{}: cannot be written: {}; is the folder there and writable, and is there space?",
              path_,
              ffmpeg_error(result));
  }

  void make_frame() {
    STC_CHECK(yuv_ && packet_, "out of memory for a frame");
    yuv_->format = AV_PIX_FMT_YUV420P;
    yuv_->width = size_.width;
    yuv_->height = size_.height;
    check(av_frame_get_buffer(yuv_.get(), 0));
    constexpr int kFlags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INP;
    scaler_.reset(sws_getContext(size_.width,
                                 size_.height,
                                 AV_PIX_FMT_RGB24,
                                 size_.width,
                                 size_.height,
                                 AV_PIX_FMT_YUV420P,
                                 kFlags,
                                 nullptr,
                                 nullptr,
                                 nullptr));
    STC_CHECK(scaler_ != nullptr, "{}: libswscale does not convert RGB to yuv420p", path_);
    const auto* bt709 = sws_getCoefficients(SWS_CS_ITU709);
    sws_setColorspaceDetails(
        scaler_.get(), bt709, /*srcRange=*/1, bt709, /*dstRange=*/0, 0, 1 << 16, 1 << 16);
  }

  void add_stream() {
    auto* stream = avformat_new_stream(file_.get(), nullptr);
    STC_CHECK(stream != nullptr, "out of memory for a stream");
    stream->time_base = av_inv_q(rate_);
    stream->avg_frame_rate = rate_;
    auto& codec = *stream->codecpar;
    codec.codec_type = AVMEDIA_TYPE_VIDEO;
    codec.codec_id = AV_CODEC_ID_H264;
    codec.format = AV_PIX_FMT_YUV420P;
    codec.width = size_.width;
    codec.height = size_.height;
    codec.color_range = AVCOL_RANGE_MPEG;
    codec.color_space = AVCOL_SPC_BT709;
    codec.color_primaries = AVCOL_PRI_BT709;
    codec.color_trc = AVCOL_TRC_BT709;
    const auto parameters = encoder_.parameter_sets();
    codec.extradata =
        static_cast<std::uint8_t*>(av_mallocz(parameters.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    STC_CHECK(codec.extradata != nullptr, "out of memory for a stream");
    std::copy(parameters.begin(), parameters.end(), codec.extradata);
    codec.extradata_size = static_cast<int>(parameters.size());
  }

  /// Into yuv_: made smaller and even, then converted.
  void convert(const Image& frame) {
    cv::Mat rgb(
        given_.height, given_.width, CV_8UC3, const_cast<std::uint8_t*>(frame.pixels.data()));
    if (halvings_ > 0) {
      const cv::Size smaller(given_.width >> halvings_, given_.height >> halvings_);
      cv::Mat shrunk;
      cv::resize(rgb, shrunk, smaller, 0, 0, cv::INTER_AREA);
      rgb = shrunk;
    }
    cv::Mat padded;
    cv::copyMakeBorder(
        rgb, padded, 0, size_.height - rgb.rows, 0, size_.width - rgb.cols, cv::BORDER_REPLICATE);
    const std::uint8_t* rows[] = {padded.data};
    const int bytes[] = {static_cast<int>(padded.step)};
    sws_scale(scaler_.get(), rows, bytes, 0, size_.height, yuv_->data, yuv_->linesize);
  }

  std::string path_;
  cv::Size given_;
  int halvings_;
  cv::Size size_;
  AVRational rate_;
  H264Encoder encoder_;
  Frame yuv_{av_frame_alloc()};
  Packet packet_{av_packet_alloc()};
  Scaler scaler_;
  OutputFormat file_;
  std::int64_t frames_ = 0;
  bool is_begun_ = false;
  bool is_finished_ = false;
};

}  // namespace

std::unique_ptr<VideoWriter> VideoWriter::create(const std::string& path,
                                                 int height,
                                                 int width,
                                                 double frames_per_second) {
  STC_CHECK(height > 0 && width > 0 && frames_per_second > 0,
            "{}: a video of {} x {} pixels at {} frames per second cannot be written",
            path,
            height,
            width,
            frames_per_second);
  return std::make_unique<Mp4Writer>(path, height, width, frames_per_second);
}

}  // namespace stc::data
