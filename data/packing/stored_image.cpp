#include "data/packing/stored_image.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "data/file.h"
#include "data/images/image_codecs.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

bool is_too_large(const Image& image, int max_side) {
  return max_side > 0 && std::max(image.height, image.width) > max_side;
}

// INTER_AREA averages over the area that a pixel covers, so nothing is aliased.
Image shrunk(const Image& image, int max_side) {
  const double scale = static_cast<double>(max_side) / std::max(image.height, image.width);
  Image result = blank_image(std::max(1, static_cast<int>(std::lround(image.height * scale))),
                             std::max(1, static_cast<int>(std::lround(image.width * scale))));
  const cv::Mat from(
      image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.pixels.data()));
  cv::Mat to(result.height, result.width, CV_8UC3, result.pixels.data());
  cv::resize(from, to, to.size(), 0, 0, cv::INTER_AREA);
  return result;
}

}  // namespace

StoredImage store_frame(const Image& frame, const PackOptions& options) {
  const bool shrinks = is_too_large(frame, options.max_side);
  return {
      encode_jpeg(shrinks ? shrunk(frame, options.max_side) : frame, options.quality), "", false};
}

StoredImage store_file(const std::string& path, const PackOptions& options) {
  try {
    auto bytes = read_file(path);
    const auto image = decode_image(bytes, path, options.apply_orientation);
    const bool turns = options.apply_orientation && exif_orientation(bytes) != 1;
    StoredImage stored;
    if (turns || is_too_large(image, options.max_side)) {
      stored = store_frame(image, options);
    } else {
      stored.bytes = std::move(bytes);
    }
    stored.lacks_end_marker = image.lacks_end_marker;
    return stored;
  } catch (const Error& cause) {
    return {{}, cause.what(), false};
  }
}

}  // namespace stc::data
