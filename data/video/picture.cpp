#include "data/video/picture.h"

#include <cmath>
#include <opencv2/core.hpp>

#include "data/images/image_codecs.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

// The same bits on every processor; chroma is interpolated for each pixel. To planes, because
// libswscale has vector code for these, and none for interleaved RGB at this accuracy.
constexpr int kScalerFlags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT;
constexpr int kHdLines = 720;

int matrix_of(const AVFrame& frame, const std::string& name) {
  switch (frame.colorspace) {
    case AVCOL_SPC_UNSPECIFIED:
    case AVCOL_SPC_RESERVED:
      return frame.height >= kHdLines ? SWS_CS_ITU709 : SWS_CS_ITU601;
    case AVCOL_SPC_RGB:  // no matrix is applied
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_BT2020_NCL:
      return frame.colorspace;
    default:
      break;
  }
  const char* matrix = av_color_space_name(frame.colorspace);
  throw Error(Exit::kBadData,
              text("{}: its colours are stored by the matrix {}; expected RGB, BT.601, BT.709, "
                   "BT.2020 (non-constant luminance), FCC or SMPTE 240M: convert the video with "
                   "ffmpeg first",
                   name,
                   matrix == nullptr ? text("{}", int{frame.colorspace}) : matrix));
}

bool is_full_range(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
      return true;
    default:
      return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

void turn(const cv::Mat& from, int orientation, cv::Mat to) {
  cv::Mat straight = from;
  if (swaps_sides(orientation)) {
    straight = cv::Mat();
    cv::transpose(from, straight);
    orientation -= 4;  // EXIF's 5 to 8 are 1 to 4 of the transposed picture
  }
  constexpr int kBoth = -1, kUpsideDown = 0, kSideways = 1;
  if (orientation == 1) straight.copyTo(to);
  if (orientation == 2) cv::flip(straight, to, kSideways);
  if (orientation == 3) cv::flip(straight, to, kBoth);
  if (orientation == 4) cv::flip(straight, to, kUpsideDown);
}

/// Bytes from one pixel of a plane to the next; 0 if the planes cannot be turned one by one.
int pixel_bytes(const AVPixFmtDescriptor& format, int plane) {
  int bytes = 0;
  for (int i = 0; i < format.nb_components; ++i) {
    if (format.comp[i].plane == plane) bytes = format.comp[i].step;
  }
  return bytes;
}

/// Whether a turned frame has the same format: each plane holds whole pixels, and halved chroma
/// stays halved the same way. So are nearly all videos that carry a display matrix.
bool can_turn_planes(const AVPixFmtDescriptor& format, int orientation) {
  constexpr auto kOther = AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL;
  if ((format.flags & kOther) != 0) return false;
  if (format.log2_chroma_w != 0 && (format.flags & AV_PIX_FMT_FLAG_PLANAR) == 0) return false;
  return !swaps_sides(orientation) || format.log2_chroma_w == format.log2_chroma_h;
}

/// Planes are turned before the conversion, as players do: where chroma lies between the pixels
/// turns with the picture.
Frame turned(const AVFrame& from, const AVPixFmtDescriptor& format, int orientation) {
  Frame to(av_frame_alloc());
  STC_CHECK(to && av_frame_copy_props(to.get(), &from) >= 0, "out of memory for a frame");
  to->format = from.format;
  to->width = swaps_sides(orientation) ? from.height : from.width;
  to->height = swaps_sides(orientation) ? from.width : from.height;
  STC_CHECK(av_frame_get_buffer(to.get(), 0) >= 0, "out of memory for a frame");
  const auto plane_of = [&](const AVFrame& frame, int plane) {
    const bool is_chroma = plane == 1 || plane == 2;
    const int height =
        is_chroma ? AV_CEIL_RSHIFT(frame.height, format.log2_chroma_h) : frame.height;
    const int width = is_chroma ? AV_CEIL_RSHIFT(frame.width, format.log2_chroma_w) : frame.width;
    return cv::Mat(height,
                   width,
                   CV_8UC(pixel_bytes(format, plane)),
                   frame.data[plane],
                   static_cast<std::size_t>(frame.linesize[plane]));
  };
  const int planes = av_pix_fmt_count_planes(static_cast<AVPixelFormat>(from.format));
  for (int plane = 0; plane < planes; ++plane)
    turn(plane_of(from, plane), orientation, plane_of(*to, plane));
  return to;
}

Image interleaved(const AVFrame& planes) {
  const auto plane = [&](int index) {
    return cv::Mat(planes.height,
                   planes.width,
                   CV_8UC1,
                   planes.data[index],
                   static_cast<std::size_t>(planes.linesize[index]));
  };
  Image image = blank_image(planes.height, planes.width);
  cv::Mat rgb(image.height, image.width, CV_8UC3, image.pixels.data());
  cv::merge(std::vector<cv::Mat>{plane(2), plane(0), plane(1)}, rgb);
  return image;
}

}  // namespace

std::optional<int> orientation_of(const std::int32_t* display_matrix) {
  if (display_matrix == nullptr) return 1;
  // The picture's x axis goes to (a, b) on the screen, its y axis to (c, d).
  const double a = display_matrix[0], b = display_matrix[1];
  const double c = display_matrix[3], d = display_matrix[4];
  const auto is_straight = [](double main, double other) {
    return main != 0 && std::abs(other) < 0.01 * std::abs(main);
  };
  if (is_straight(a, b) && is_straight(d, c)) return a > 0 ? (d > 0 ? 1 : 4) : (d > 0 ? 2 : 3);
  if (is_straight(b, a) && is_straight(c, d)) return b > 0 ? (c > 0 ? 5 : 6) : (c > 0 ? 8 : 7);
  return std::nullopt;
}

void PictureConverter::prepare(const AVFrame& frame, int matrix, const std::string& name) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  scaler_.reset(sws_getCachedContext(scaler_.release(),
                                     frame.width,
                                     frame.height,
                                     format,
                                     frame.width,
                                     frame.height,
                                     AV_PIX_FMT_GBRP,
                                     kScalerFlags,
                                     nullptr,
                                     nullptr,
                                     nullptr));
  const char* format_name = av_get_pix_fmt_name(format);
  STC_CHECK_DATA(
      scaler_ != nullptr,
      "{}: its pixel format {} cannot be converted to RGB; convert the video with ffmpeg "
      "first",
      name,
      format_name == nullptr ? "is unknown and" : format_name);
  sws_setColorspaceDetails(scaler_.get(),
                           sws_getCoefficients(matrix),
                           is_full_range(frame),
                           sws_getCoefficients(SWS_CS_DEFAULT),
                           /*dstRange=*/1,
                           /*brightness=*/0,
                           /*contrast=*/1 << 16,
                           /*saturation=*/1 << 16);
  if (planes_ && planes_->width == frame.width && planes_->height == frame.height) return;
  planes_.reset(av_frame_alloc());
  STC_CHECK(planes_ != nullptr, "out of memory for a frame");
  planes_->format = AV_PIX_FMT_GBRP;
  planes_->width = frame.width;
  planes_->height = frame.height;
  STC_CHECK(av_frame_get_buffer(planes_.get(), 0) >= 0, "out of memory for a frame");
}

Image PictureConverter::convert(const AVFrame& frame, int orientation, const std::string& name) {
  check_image_size(
      name, static_cast<std::uint64_t>(frame.height), static_cast<std::uint64_t>(frame.width));
  const auto* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  Frame upright_frame;
  const AVFrame* given = &frame;
  if (orientation != 1 && format != nullptr && can_turn_planes(*format, orientation)) {
    upright_frame = turned(frame, *format, orientation);
    given = upright_frame.get();
    orientation = 1;
  }
  prepare(*given, matrix_of(frame, name), name);
  sws_scale(scaler_.get(),
            given->data,
            given->linesize,
            0,
            given->height,
            planes_->data,
            planes_->linesize);
  auto image = interleaved(*planes_);
  return orientation == 1 ? std::move(image) : upright(image, orientation);
}

}  // namespace stc::data
