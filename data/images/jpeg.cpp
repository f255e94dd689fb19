#include <cstdio>  // jpeglib.h needs it and does not include it

#include <jpeglib.h>

#include <jerror.h>

#include <algorithm>
#include <csetjmp>
#include <memory>

#include "data/images/image_codecs.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

// libjpeg's own handler ends the process; this one jumps back. No object with a destructor may live
// in a frame that is jumped over, hence the C-like functions below with their state outside.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
  bool is_at_end;    // the file ended, which libjpeg answers with an end marker of its own
  bool has_skipped;  // bytes that belong to nothing
};

void leave(j_common_ptr codec) {
  auto* errors = reinterpret_cast<ErrorManager*>(codec->err);
  codec->err->format_message(codec, errors->message);
  std::longjmp(errors->back, 1);
}

// libjpeg fills what is missing with grey and only warns. Missing or garbled image data is an error
// here; oddities around it (bytes between segments, a strange Adobe marker), which real collections
// are full of, are not. That the file has ended is only noted: missing bits say so themselves
// (JWRN_HIT_MARKER), and read_pixels() sees to the rest.
void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  auto* errors = reinterpret_cast<ErrorManager*>(codec->err);
  switch (codec->err->msg_code) {
    case JWRN_JPEG_EOF:
      errors->is_at_end = true;
      break;
    case JWRN_EXTRANEOUS_DATA:
      errors->has_skipped = true;
      break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_ARITH_BAD_CODE:
      leave(codec);
      break;
    default:
      break;
  }
}

jpeg_error_mgr* set_up(ErrorManager& errors) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = leave;
  errors.base.emit_message = on_message;
  errors.message[0] = '\0';
  return &errors.base;
}

// Adobe writes CMYK inverted, and nobody writes it otherwise: red = cyan * black / 255, rounded as
// PIL rounds it.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb, int width) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const int black = cmyk[3];
    for (int channel = 0; channel < 3; ++channel) {
      const int product = (255 - cmyk[channel]) * black + 128;
      rgb[channel] = static_cast<std::uint8_t>(black - ((product + (product >> 8)) >> 8));
    }
  }
}

// Whether a file that has ended was complete but for its end marker: no bytes that no pixel used
// (a download padded with zeros), each component seen, each coefficient with all of its bits.
// Arithmetic coding goes on without bits and without a word.
bool has_all_data(const jpeg_decompress_struct& codec) {
  if (codec.arith_code) return false;
  for (int i = 0; i < codec.num_components; ++i) {
    if (codec.comp_info[i].quant_table == nullptr) return false;
    if (!codec.progressive_mode || codec.coef_bits == nullptr) continue;
    if (std::any_of(
            codec.coef_bits[i], codec.coef_bits[i] + DCTSIZE2, [](int bits) { return bits != 0; }))
      return false;
  }
  return true;
}

struct Decoder {
  jpeg_decompress_struct codec = {};
  ErrorManager errors = {};
  Image image;
  bool is_complete = false;
  std::vector<std::uint8_t> line;  // one row of CMYK

  Decoder() { codec.err = set_up(errors); }
  ~Decoder() { jpeg_destroy_decompress(&codec); }
};

bool read_header(Decoder& decoder, std::span<const std::uint8_t> bytes) {
  if (setjmp(decoder.errors.back) != 0) return false;
  auto& codec = decoder.codec;
  jpeg_create_decompress(&codec);
  jpeg_mem_src(&codec, bytes.data(), bytes.size());
  jpeg_read_header(&codec, TRUE);
  const bool has_black = codec.jpeg_color_space == JCS_CMYK || codec.jpeg_color_space == JCS_YCCK;
  codec.out_color_space = has_black ? JCS_CMYK : JCS_RGB;
  return true;
}

bool read_pixels(Decoder& decoder) {
  if (setjmp(decoder.errors.back) != 0) return false;
  auto& codec = decoder.codec;
  jpeg_start_decompress(&codec);
  while (codec.output_scanline < codec.output_height) {
    auto* row =
        decoder.image.pixels.data() + std::size_t{3} * codec.output_scanline * codec.output_width;
    JSAMPROW target = decoder.line.empty() ? row : decoder.line.data();
    jpeg_read_scanlines(&codec, &target, 1);
    if (!decoder.line.empty()) cmyk_to_rgb(decoder.line.data(), row, decoder.image.width);
  }
  // Before its tables go; bytes between the pixels and the end are found by finishing.
  decoder.is_complete = has_all_data(codec);
  jpeg_finish_decompress(&codec);
  decoder.image.lacks_end_marker = decoder.errors.is_at_end;
  if (!decoder.errors.is_at_end || (decoder.is_complete && !decoder.errors.has_skipped))
    return true;
  std::snprintf(decoder.errors.message, JMSG_LENGTH_MAX, "Premature end of JPEG file");
  return false;
}

struct Encoder {
  jpeg_compress_struct codec = {};
  ErrorManager errors = {};
  unsigned char* bytes = nullptr;  // libjpeg's, by malloc
  unsigned long size = 0;

  Encoder() { codec.err = set_up(errors); }
  ~Encoder() {
    jpeg_destroy_compress(&codec);
    std::free(bytes);
  }
};

bool write_pixels(Encoder& encoder, const Image& image, int quality) {
  if (setjmp(encoder.errors.back) != 0) return false;
  auto& codec = encoder.codec;
  jpeg_create_compress(&codec);
  jpeg_mem_dest(&codec, &encoder.bytes, &encoder.size);
  codec.image_width = static_cast<JDIMENSION>(image.width);
  codec.image_height = static_cast<JDIMENSION>(image.height);
  codec.input_components = 3;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, quality, TRUE);
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    auto* row = const_cast<JSAMPROW>(image.pixels.data()) +
                std::size_t{3} * codec.next_scanline * codec.image_width;
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  return true;
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name) {
  Decoder decoder;
  STC_CHECK_DATA(read_header(decoder, bytes), "{}: damaged JPEG: {}", name, decoder.errors.message);
  check_image_size(name, decoder.codec.image_height, decoder.codec.image_width);
  decoder.image = blank_image(static_cast<int>(decoder.codec.image_height),
                              static_cast<int>(decoder.codec.image_width));
  if (decoder.codec.out_color_space == JCS_CMYK)
    decoder.line.resize(std::size_t{4} * decoder.codec.image_width);
  STC_CHECK_DATA(read_pixels(decoder), "{}: damaged JPEG: {}", name, decoder.errors.message);
  return std::move(decoder.image);
}

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  STC_CHECK(quality >= 1 && quality <= 100, "JPEG quality is {}; expected 1 to 100", quality);
  Encoder encoder;
  STC_CHECK(write_pixels(encoder, image, quality),
            "an image of {} x {} cannot be written as JPEG: {}",
            image.height,
            image.width,
            encoder.errors.message);
  return {encoder.bytes, encoder.bytes + encoder.size};
}

}  // namespace stc::data
