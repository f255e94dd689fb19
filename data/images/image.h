// Images in memory, and files to and from them. No OpenCV in this header.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace stc::data {

/// 8-bit RGB, rows first, interleaved: pixels[(y * width + x) * 3 + channel].
struct Image {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;
  bool lacks_end_marker = false;  ///< of a JPEG file whose pixels are all there

  /// The three values of a pixel.
  const std::uint8_t* at(int y, int x) const {
    return pixels.data() + (static_cast<std::size_t>(y) * width + x) * 3;
  }
};

/// All zero.
inline Image blank_image(int height, int width) {
  return {height, width, std::vector<std::uint8_t>(std::size_t{3} * height * width)};
}

/// 8-bit label indices, rows first. 0 is background.
struct LabelMap {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> labels;
  std::uint8_t at(int y, int x) const { return labels[static_cast<std::size_t>(y) * width + x]; }
};

enum class ImageFormat { kJpeg, kPng, kOther };

/// By content: the first bytes, whatever the file is called.
ImageFormat image_format(std::span<const std::uint8_t> bytes);

/// Decodes JPEG (grey, progressive, CMYK, YCCK) or PNG by content. EXIF orientation is ignored
/// unless asked for. Errors begin with `name`. Throws stc::Error (kBadData) on foreign, damaged
/// or truncated bytes.
Image decode_image(std::span<const std::uint8_t> bytes,
                   const std::string& name,
                   bool apply_orientation = false);
Image read_image(const std::string& path);
/// By its ending alone (.jpg, .jpeg, .png); a hidden file is not.
bool is_named_as_image(const std::string& path);
/// By its ending (.jpg, .jpeg, .png) or its content: a damaged frame is an image all the same, and
/// reading it says what is wrong. Hidden files, such as those that macOS adds, by content alone.
bool is_image_file(const std::string& path);
/// Files of a folder (not recursive) for which is_image_file() holds, in natural order.
std::vector<std::string> list_images(const std::string& folder);

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality);
void write_png(const std::string& path, const Image& image);

using Palette = std::vector<std::array<std::uint8_t, 3>>;  ///< RGB by index

/// Palette PNGs give their indices, 8-bit grey PNGs their values; RGB or 16-bit is an error.
/// `palette` receives the colours; none if the file is grey.
LabelMap read_label_png(const std::string& path, Palette* palette = nullptr);
/// 8-bit palette PNG with the 256-entry Pascal VOC palette.
void write_label_png(const std::string& path, const LabelMap& map);
/// RGB of a label in the VOC palette.
std::array<std::uint8_t, 3> palette_color(std::uint8_t label);

}  // namespace stc::data
