#include "tests/data/test_images.h"

#include <cstdio>  // jpeglib.h needs it and does not include it

#include <jpeglib.h>
#include <png.h>

#include <cmath>
#include <cstdlib>
#include <string>

namespace stc::test {

data::Image smooth_image(int height, int width, int seed) {
  data::Image image{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        const double phase = 0.7 * seed + 1.3 * channel;
        const double value = std::sin(0.05 * x + phase) + std::cos(0.04 * y - 0.02 * x + phase);
        image.pixels.push_back(static_cast<std::uint8_t>(127.5 + 60 * value));
      }
    }
  }
  return image;
}

std::vector<std::uint8_t> jpeg_of(const std::vector<std::uint8_t>& samples,
                                  int height,
                                  int width,
                                  const JpegForm& form) {
  jpeg_compress_struct codec = {};
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &bytes, &size);
  codec.image_height = height;
  codec.image_width = width;
  codec.input_components = form.components;
  codec.in_color_space = form.components == 1   ? JCS_GRAYSCALE
                         : form.components == 3 ? JCS_RGB
                                                : JCS_CMYK;
  jpeg_set_defaults(&codec);
  if (form.is_ycck) jpeg_set_colorspace(&codec, JCS_YCCK);
  if (form.is_progressive) jpeg_simple_progression(&codec);
  jpeg_set_quality(&codec, form.quality, TRUE);
  jpeg_start_compress(&codec, TRUE);
  for (int y = 0; y < height; ++y) {
    auto* row = const_cast<JSAMPROW>(&samples[std::size_t(y) * width * form.components]);
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  std::vector<std::uint8_t> result(bytes, bytes + size);
  std::free(bytes);
  return result;
}

std::vector<std::uint8_t> small_depth_png(const data::LabelMap& map, int bits, bool has_palette) {
  std::vector<std::uint8_t> result;
  auto* png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  auto* header = png_create_info_struct(png);
  const auto append = [](png_structp writer, png_bytep bytes, std::size_t count) {
    auto* target = static_cast<std::vector<std::uint8_t>*>(png_get_io_ptr(writer));
    target->insert(target->end(), bytes, bytes + count);
  };
  png_set_write_fn(png, &result, append, nullptr);
  png_set_IHDR(png,
               header,
               map.width,
               map.height,
               bits,
               has_palette ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_GRAY,
               PNG_INTERLACE_ADAM7,
               PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette(std::size_t{1} << bits);
  for (std::size_t i = 0; i < palette.size(); ++i) {
    palette[i] = {static_cast<png_byte>(255 - i), static_cast<png_byte>(i), 7};
  }
  if (has_palette) png_set_PLTE(png, header, palette.data(), static_cast<int>(palette.size()));
  png_write_info(png, header);
  png_set_packing(png);
  std::vector<png_bytep> rows;
  auto labels = map.labels;
  for (int y = 0; y < map.height; ++y) rows.push_back(&labels[std::size_t(y) * map.width]);
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &header);
  return result;
}

std::vector<std::uint8_t> with_orientation(const std::vector<std::uint8_t>& jpeg,
                                           int orientation,
                                           bool is_big_endian) {
  std::string tiff =
      is_big_endian
          ? std::string("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0", 26)
          : std::string("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0", 26);
  tiff[is_big_endian ? 19 : 18] = static_cast<char>(orientation);
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  const std::string segment =
      std::string("\xff\xe1\0", 3) + static_cast<char>(body.size() + 2) + body;
  auto result = jpeg;
  result.insert(result.begin() + 2, segment.begin(), segment.end());
  return result;
}

}  // namespace stc::test
