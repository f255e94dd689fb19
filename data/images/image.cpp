#include "data/images/image.h"

#include <algorithm>
#include <fstream>
#include <iomanip>

#include "data/file.h"
#include "data/folder_listing.h"
#include "data/images/image_codecs.h"
#include "data/images/media_type.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 28;  // 0.8 GB decoded

std::string first_bytes(std::span<const std::uint8_t> bytes) {
  std::ostringstream out;
  out << std::hex << std::setfill('0');
  for (const auto byte : bytes.first(std::min<std::size_t>(bytes.size(), 4))) {
    out << ' ' << std::setw(2) << int{byte};
  }
  return out.str();
}

}  // namespace

ImageFormat image_format(std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t kJpeg[] = {0xff, 0xd8, 0xff};
  constexpr std::uint8_t kPng[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const auto starts_with = [&](std::span<const std::uint8_t> start) {
    return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
  };
  if (starts_with(kJpeg)) return ImageFormat::kJpeg;
  if (starts_with(kPng)) return ImageFormat::kPng;
  return ImageFormat::kOther;
}

void check_image_size(const std::string& name, std::uint64_t height, std::uint64_t width) {
  STC_CHECK_DATA(height * width <= kMaxPixels,
                 "{}: an image of {} x {} pixels; at most {} pixels are supported",
                 name,
                 height,
                 width,
                 kMaxPixels);
}

Image decode_image(std::span<const std::uint8_t> bytes,
                   const std::string& name,
                   bool apply_orientation) {
  STC_CHECK_DATA(!bytes.empty(), "{}: is empty; expected a JPEG or PNG image", name);
  const auto format = image_format(bytes);
  if (format == ImageFormat::kOther) {
    const std::string kind = media_type_of(bytes).name;
    throw Error(Exit::kBadData,
                text("{}: is neither JPEG nor PNG{} (it starts with the bytes{})",
                     name,
                     kind.empty() ? "" : ", but of the format " + kind + "; convert it",
                     first_bytes(bytes)));
  }
  auto image = format == ImageFormat::kJpeg ? decode_jpeg(bytes, name) : decode_png(bytes, name);
  const int orientation = apply_orientation ? exif_orientation(bytes) : 1;
  if (orientation == 1) return image;
  auto turned = upright(image, orientation);
  turned.lacks_end_marker = image.lacks_end_marker;
  return turned;
}

Image read_image(const std::string& path) { return decode_image(read_file(path), path); }

bool is_named_as_image(const std::string& path) {
  return !is_hidden(path) && has_ending(path, {".jpg", ".jpeg", ".png"});
}

bool is_image_file(const std::string& path) {
  if (is_named_as_image(path)) return true;
  std::array<char, 8> start = {};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(start.data());
  return image_format({bytes, static_cast<std::size_t>(file.gcount())}) != ImageFormat::kOther;
}

std::vector<std::string> list_images(const std::string& folder) {
  return list_files(folder, is_image_file);
}

std::array<std::uint8_t, 3> palette_color(std::uint8_t label) {
  // Pascal VOC: bits 0, 1, 2 of the label are the highest bits of red, green, blue, bits 3, 4, 5
  // the next, and so on.
  std::array<std::uint8_t, 3> color = {};
  for (int shift = 7; label != 0; --shift, label >>= 3) {
    for (int channel = 0; channel < 3; ++channel) {
      color[channel] |= static_cast<std::uint8_t>((label >> channel & 1) << shift);
    }
  }
  return color;
}

}  // namespace stc::data
