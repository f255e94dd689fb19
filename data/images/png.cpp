#include <png.h>

#include <algorithm>
#include <cstring>

#include "data/file.h"
#include "data/images/image_codecs.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

enum class Pixels { kRgb, kLabels };

// libpng leaves through longjmp; no object with a destructor may live in a frame that is jumped
// over, hence the state here and the C-like functions below.
struct Reader {
  png_structp png = nullptr;
  png_infop header = nullptr;
  std::span<const std::uint8_t> rest;
  char message[128] = "";
  std::vector<std::uint8_t> pixels;
  std::vector<png_bytep> rows;

  ~Reader() { png_destroy_read_struct(&png, &header, nullptr); }
  std::uint32_t height() const { return png_get_image_height(png, header); }
  std::uint32_t width() const { return png_get_image_width(png, header); }
};

void on_error(png_structp png, png_const_charp message) {
  auto* reader = static_cast<Reader*>(png_get_error_ptr(png));
  std::strncpy(reader->message, message, sizeof(reader->message) - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void give(png_structp png, png_bytep target, std::size_t count) {
  auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader->rest.size()) png_error(png, "the file ends too early");
  std::memcpy(target, reader->rest.data(), count);
  reader->rest = reader->rest.subspan(count);
}

bool read_header(Reader& reader) {
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png == nullptr) return false;
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  reader.header = png_create_info_struct(reader.png);
  png_set_read_fn(reader.png, &reader, give);
  png_read_info(reader.png, reader.header);
  return true;
}

bool read_pixels(Reader& reader, Pixels form) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  if (form == Pixels::kLabels) {
    png_set_packing(reader.png);  // 1, 2 and 4 bits to one byte each, values unchanged
  } else {
    png_set_expand(reader.png);
    png_set_scale_16(reader.png);
    png_set_gray_to_rgb(reader.png);
    png_set_strip_alpha(reader.png);
  }
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.header);
  png_read_image(reader.png, reader.rows.data());
  png_read_end(reader.png, nullptr);
  return true;
}

Palette palette_of(const Reader& reader) {
  png_colorp colors = nullptr;
  int count = 0;
  Palette palette;
  if (png_get_PLTE(reader.png, reader.header, &colors, &count) == 0) return palette;
  for (int i = 0; i < count; ++i)
    palette.push_back({colors[i].red, colors[i].green, colors[i].blue});
  return palette;
}

void start(Reader& reader, std::span<const std::uint8_t> bytes, const std::string& name) {
  reader.rest = bytes;
  STC_CHECK_DATA(read_header(reader), "{}: damaged PNG: {}", name, reader.message);
  check_image_size(name, reader.height(), reader.width());
}

template <typename Result>  // Image or LabelMap
Result finish(Reader& reader, Pixels form, const std::string& name) {
  const std::size_t stride = std::size_t{reader.width()} * (form == Pixels::kRgb ? 3 : 1);
  reader.pixels.resize(stride * reader.height());
  reader.rows.resize(reader.height());
  for (std::size_t y = 0; y < reader.rows.size(); ++y) {
    reader.rows[y] = reader.pixels.data() + y * stride;
  }
  STC_CHECK_DATA(read_pixels(reader, form), "{}: damaged PNG: {}", name, reader.message);
  const auto height = static_cast<int>(reader.height()), width = static_cast<int>(reader.width());
  return {height, width, std::move(reader.pixels)};
}

void write(const std::string& path, png_image& image, const void* pixels, const void* palette) {
  // Once for the size, once for the bytes.
  png_alloc_size_t size = 0;
  bool written = png_image_write_to_memory(&image, nullptr, &size, 0, pixels, 0, palette) != 0;
  std::vector<std::uint8_t> bytes(size);
  written =
      written && png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels, 0, palette) != 0;
  const std::string cause = image.message;
  png_image_free(&image);
  STC_CHECK(written, "{}: cannot be written as PNG: {}", path, cause);
  write_file(path, std::span(bytes).first(size));
}

png_image describe(int height, int width, png_uint_32 format) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(height);
  image.width = static_cast<png_uint_32>(width);
  image.format = format;
  return image;
}

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name) {
  Reader reader;
  start(reader, bytes, name);
  return finish<Image>(reader, Pixels::kRgb, name);
}

LabelMap read_label_png(const std::string& path, Palette* palette) {
  const auto bytes = read_file(path);
  STC_CHECK_DATA(image_format(bytes) == ImageFormat::kPng,
                 "{}: is not a PNG; masks are PNG files with a palette or in grey",
                 path);
  Reader reader;
  start(reader, bytes, path);
  const int color = png_get_color_type(reader.png, reader.header);
  const int depth = png_get_bit_depth(reader.png, reader.header);
  const bool is_indexed = color == PNG_COLOR_TYPE_PALETTE || color == PNG_COLOR_TYPE_GRAY;
  STC_CHECK_DATA(
      is_indexed && depth <= 8,
      "{}: is {} {}-bit {}{}; a mask has one 8-bit label per pixel: save it with a palette "
      "or as 8-bit grey",
      path,
      depth == 8 ? "an" : "a",
      depth,
      color & PNG_COLOR_MASK_COLOR ? "RGB" : "grey",
      color & PNG_COLOR_MASK_ALPHA ? " PNG with alpha" : " PNG");
  if (palette != nullptr) *palette = palette_of(reader);
  return finish<LabelMap>(reader, Pixels::kLabels, path);
}

void write_png(const std::string& path, const Image& image) {
  auto description = describe(image.height, image.width, PNG_FORMAT_RGB);
  write(path, description, image.pixels.data(), nullptr);
}

void write_label_png(const std::string& path, const LabelMap& map) {
  std::array<std::array<std::uint8_t, 3>, 256> palette;
  for (int label = 0; label < 256; ++label) palette[label] = palette_color(label);
  auto description = describe(map.height, map.width, PNG_FORMAT_RGB_COLORMAP);
  description.colormap_entries = 256;
  write(path, description, map.labels.data(), palette.data());
}

}  // namespace stc::data
