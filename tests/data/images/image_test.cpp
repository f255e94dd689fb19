#include "data/images/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "data/file.h"
#include "monitoring/check.h"
#include "tests/data/test_images.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/video_files.h"

namespace stc::data {
namespace {

using ::testing::HasSubstr;

int largest_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  if (a.size() != b.size()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

// The other decoder: libjpeg-turbo's own program.
std::vector<std::uint8_t> pixels_by_djpeg(const std::vector<std::uint8_t>& bytes) {
  const test::TemporaryFolder folder;
  write_file(folder / "x.jpg", bytes);
  const auto command =
      "djpeg -rgb -pnm -outfile '" + (folder / "x.ppm") + "' '" + (folder / "x.jpg") + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  const auto picture = read_file(folder / "x.ppm");
  // "P6", width and height, 255: three lines
  std::size_t at = 0;
  for (int line = 0; line < 3; ++line)
    at = 1 + static_cast<std::size_t>(std::find(picture.begin() + at, picture.end(), '\n') -
                                      picture.begin());
  return {picture.begin() + at, picture.end()};
}

// A PNG of `format` (FFmpeg's name) from raw pixels of it.
std::vector<std::uint8_t> png_by_ffmpeg(const std::vector<std::uint8_t>& pixels,
                                        const std::string& format,
                                        int height,
                                        int width) {
  const test::TemporaryFolder folder;
  write_file(folder / "raw", pixels);
  test::run_ffmpeg(text("-f rawvideo -pix_fmt {} -s {}x{} -i '{}' '{}'",
                        format,
                        width,
                        height,
                        folder / "raw",
                        folder / "x.png"));
  return read_file(folder / "x.png");
}

std::string error_of(std::span<const std::uint8_t> bytes) {
  try {
    decode_image(bytes, "some/name");
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    return error.what();
  }
  return "";
}

TEST(DecodeImage, AgreesWithDjpeg) {
  const auto image = test::smooth_image(37, 51);
  for (const bool is_progressive : {false, true}) {
    const auto bytes = test::jpeg_of(image.pixels, 37, 51, {.is_progressive = is_progressive});
    const auto decoded = decode_image(bytes, "x");
    EXPECT_EQ(decoded.height, 37);
    EXPECT_EQ(decoded.width, 51);
    EXPECT_EQ(decoded.pixels, pixels_by_djpeg(bytes));
  }
}

TEST(DecodeImage, GivesGreyJpegThreeEqualChannels) {
  std::vector<std::uint8_t> grey(16 * 24);
  for (std::size_t i = 0; i < grey.size(); ++i) grey[i] = static_cast<std::uint8_t>(i / 2);
  const auto bytes = test::jpeg_of(grey, 16, 24, {.components = 1});
  const auto decoded = decode_image(bytes, "x");
  EXPECT_EQ(decoded.pixels, pixels_by_djpeg(bytes));
  EXPECT_EQ(decoded.pixels[30], decoded.pixels[32]);
}

TEST(DecodeImage, TurnsCmykAndYcckIntoRgbAsAdobeMeansThem) {
  // Adobe stores 255 - ink: red = (stored cyan) * (stored black) / 255.
  const auto image = test::smooth_image(32, 32);
  std::vector<std::uint8_t> cmyk;
  std::vector<std::uint8_t> expected;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    const int black = 128 + static_cast<int>(i / 3) % 32 * 3;
    for (int channel = 0; channel < 3; ++channel) {
      cmyk.push_back(image.pixels[i + channel]);
      expected.push_back(static_cast<std::uint8_t>(image.pixels[i + channel] * black / 255));
    }
    cmyk.push_back(static_cast<std::uint8_t>(black));
  }
  for (const bool is_ycck : {false, true}) {
    const auto bytes =
        test::jpeg_of(cmyk, 32, 32, {.components = 4, .is_ycck = is_ycck, .quality = 100});
    EXPECT_LE(largest_difference(decode_image(bytes, "x").pixels, expected), 6) << is_ycck;
  }
}

constexpr std::size_t kEndMarker = 2;  // bytes

TEST(DecodeImage, RefusesEveryTruncationOfAJpeg) {
  const auto image = test::smooth_image(24, 24);
  for (const bool is_progressive : {false, true}) {
    const auto whole = test::jpeg_of(image.pixels, 24, 24, {.is_progressive = is_progressive});
    for (std::size_t length = 0; length + kEndMarker < whole.size(); ++length) {
      EXPECT_THAT(error_of(std::span(whole).first(length)), HasSubstr("some/name: ")) << length;
    }
  }
}

TEST(DecodeImage, TakesAJpegThatLacksNothingButItsEndMarker) {
  for (const auto size : {8, 24, 33, 100}) {
    const auto image = test::smooth_image(size, size, size);
    for (const bool is_progressive : {false, true}) {
      const auto whole =
          test::jpeg_of(image.pixels, size, size, {.is_progressive = is_progressive});
      EXPECT_FALSE(decode_image(whole, "x").lacks_end_marker);
      for (const std::size_t missing : {1, 2}) {
        const auto decoded = decode_image(std::span(whole).first(whole.size() - missing), "x");
        EXPECT_TRUE(decoded.lacks_end_marker);
        EXPECT_EQ(decoded.pixels, decode_image(whole, "x").pixels);
      }
    }
  }
}

TEST(DecodeImage, RefusesAJpegWhoseEndIsPaddedWithZeros) {
  const auto image = test::smooth_image(64, 64);
  for (const bool is_progressive : {false, true}) {
    const auto whole = test::jpeg_of(image.pixels, 64, 64, {.is_progressive = is_progressive});
    for (const double kept : {0.5, 0.8, 0.95, 1.0}) {
      auto bytes = whole;
      bytes.resize(static_cast<std::size_t>(kept * static_cast<double>(whole.size() - kEndMarker)));
      bytes.resize(whole.size() + 4096);
      EXPECT_THAT(error_of(bytes), HasSubstr("some/name: damaged JPEG")) << kept;
    }
  }
}

TEST(DecodeImage, RefusesEveryTruncationOfAPng) {
  const test::TemporaryFolder folder;
  write_png(folder / "x.png", test::smooth_image(9, 9));
  const auto whole = read_file(folder / "x.png");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(error_of(std::span(whole).first(length)), HasSubstr("some/name: ")) << length;
  }
}

TEST(DecodeImage, SurvivesAnyFlippedByte) {
  const test::TemporaryFolder folder;
  const auto image = test::smooth_image(20, 20);
  write_png(folder / "x.png", image);
  for (auto bytes : {test::jpeg_of(image.pixels, 20, 20, {}),
                     test::jpeg_of(image.pixels, 20, 20, {.is_progressive = true}),
                     read_file(folder / "x.png")}) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        bytes[at] ^= flip;
        error_of(bytes);  // an error of ours or a picture; anything else ends the test
        bytes[at] ^= flip;
      }
    }
  }
}

TEST(DecodeImage, ReadsPngOfEveryKind) {
  const auto image = test::smooth_image(10, 13);
  std::vector<std::uint8_t> rgba, deep, grey, of_grey;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    const auto* pixel = &image.pixels[i];
    rgba.insert(rgba.end(), {pixel[0], pixel[1], pixel[2], pixel[0]});
    for (int channel = 0; channel < 3; ++channel)
      deep.insert(deep.end(), {pixel[channel], pixel[channel]});
    grey.push_back(pixel[1]);
    of_grey.insert(of_grey.end(), {pixel[1], pixel[1], pixel[1]});
  }
  const auto decoded = [](const std::vector<std::uint8_t>& pixels, const std::string& format) {
    return decode_image(png_by_ffmpeg(pixels, format, 10, 13), "x").pixels;
  };
  EXPECT_EQ(decoded(image.pixels, "rgb24"), image.pixels);
  EXPECT_EQ(decoded(rgba, "rgba"), image.pixels) << "alpha is dropped, not blended";
  EXPECT_EQ(decoded(deep, "rgb48be"), image.pixels) << "65535 is 255";
  EXPECT_EQ(decoded(grey, "gray"), of_grey);
}

TEST(DecodeImage, ExpandsPalettesOfEveryDepth) {
  for (const int bits : {1, 2, 4, 8}) {
    LabelMap map{3, 5, {}};
    for (int i = 0; i < 15; ++i) map.labels.push_back(static_cast<std::uint8_t>(i % (1 << bits)));
    const auto image = decode_image(test::small_depth_png(map, bits, true), "x");
    for (int i = 0; i < 15; ++i) {
      EXPECT_EQ(image.pixels[3 * i], 255 - map.labels[i]) << bits;
      EXPECT_EQ(image.pixels[3 * i + 1], map.labels[i]) << bits;
    }
  }
}

TEST(DecodeImage, SaysWhatForeignBytesAre) {
  const std::vector<std::uint8_t> gif = {'G', 'I', 'F', '8', '9', 'a'};
  EXPECT_THAT(error_of(gif),
              HasSubstr("some/name: is neither JPEG nor PNG, but of the format GIF; convert it (it "
                        "starts with the bytes 47 49 46 38)"));
  EXPECT_THAT(error_of(std::vector<std::uint8_t>{1, 2, 3}),
              HasSubstr("some/name: is neither JPEG nor PNG (it starts with the bytes 01 02 03)"));
  EXPECT_THAT(error_of({}), HasSubstr("some/name: is empty"));
}

TEST(EncodeJpeg, StaysCloseToTheImage) {
  const auto image = test::smooth_image(40, 33);
  const auto bytes = encode_jpeg(image, 95);
  EXPECT_LE(largest_difference(decode_image(bytes, "x").pixels, image.pixels), 8);
  EXPECT_LT(encode_jpeg(image, 30).size(), bytes.size());
  EXPECT_THROW(encode_jpeg(image, 0), Error);
}

TEST(Png, GivesBackTheImage) {
  const test::TemporaryFolder folder;
  const auto image = test::smooth_image(7, 11);
  write_png(folder / "x.png", image);
  EXPECT_EQ(read_image(folder / "x.png").pixels, image.pixels);
}

TEST(LabelPng, GivesBackEveryLabelAndShowsItsColor) {
  const test::TemporaryFolder folder;
  LabelMap map{16, 16, {}};
  for (int i = 0; i < 256; ++i) map.labels.push_back(static_cast<std::uint8_t>(i));
  write_label_png(folder / "x.png", map);
  const auto back = read_label_png(folder / "x.png");
  EXPECT_EQ(back.labels, map.labels);
  EXPECT_EQ(back.at(1, 2), 18);
  const auto shown = read_image(folder / "x.png");
  for (int i = 0; i < 256; ++i) {
    const auto color = palette_color(static_cast<std::uint8_t>(i));
    EXPECT_TRUE(std::equal(color.begin(), color.end(), &shown.pixels[3 * i])) << i;
  }
}

TEST(LabelPng, UnpacksSmallDepthsWithoutScaling) {
  const test::TemporaryFolder folder;
  for (const int bits : {1, 2, 4, 8}) {
    for (const bool has_palette : {false, true}) {
      LabelMap map{5, 9, {}};
      for (int i = 0; i < 45; ++i) map.labels.push_back(static_cast<std::uint8_t>(i % (1 << bits)));
      write_file(folder / "x.png", test::small_depth_png(map, bits, has_palette));
      EXPECT_EQ(read_label_png(folder / "x.png").labels, map.labels) << bits << has_palette;
    }
  }
}

TEST(LabelPng, RefusesWhatIsNoMask) {
  const test::TemporaryFolder folder;
  const auto complaint = [&](const std::string& name) -> std::string {
    try {
      read_label_png(folder / name);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  write_png(folder / "rgb.png", test::smooth_image(4, 4));
  EXPECT_THAT(complaint("rgb.png"), HasSubstr("rgb.png: is an 8-bit RGB PNG"));
  write_file(folder / "deep.png",
             png_by_ffmpeg(std::vector<std::uint8_t>(32, 1), "gray16be", 4, 4));
  EXPECT_THAT(complaint("deep.png"), HasSubstr("deep.png: is a 16-bit grey PNG"));
  write_file(folder / "x.jpg", encode_jpeg(test::smooth_image(4, 4), 90));
  EXPECT_THAT(complaint("x.jpg"), HasSubstr("x.jpg: is not a PNG"));
  EXPECT_THAT(complaint("none.png"), HasSubstr("none.png: cannot be opened"));
}

TEST(PaletteColor, IsPascalVoc) {
  using Color = std::array<std::uint8_t, 3>;
  EXPECT_EQ(palette_color(0), (Color{0, 0, 0}));
  EXPECT_EQ(palette_color(1), (Color{128, 0, 0}));
  EXPECT_EQ(palette_color(2), (Color{0, 128, 0}));
  EXPECT_EQ(palette_color(3), (Color{128, 128, 0}));
  EXPECT_EQ(palette_color(8), (Color{64, 0, 0}));
  EXPECT_EQ(palette_color(20), (Color{0, 64, 128}));
  EXPECT_EQ(palette_color(255), (Color{224, 224, 192}));
}

}  // namespace
}  // namespace stc::data
