#include "data/images/media_type.h"

#include <gtest/gtest.h>

#include <string>

#include "data/file.h"
#include "data/images/image.h"
#include "tests/data/test_images.h"
#include "tests/support/odd_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using namespace std::string_literals;
using enum MediaKind;

class MediaTypeOfFile : public testing::Test {
 protected:
  MediaType type_of(const std::string& name, const std::string& bytes) const {
    test::write_bytes(folder_ / name, bytes);
    return media_type(folder_ / name);
  }
  test::TemporaryFolder folder_;
};

TEST_F(MediaTypeOfFile, KnowsContainersOfVideosByTheirContent) {
  const std::pair<const char*, std::string> files[] = {
      {"MP4 or QuickTime", test::beginning("ftypisom", 4)},
      {"MP4 or QuickTime", test::beginning("ftyp3gp5", 4)},
      {"QuickTime", test::beginning("moov", 4)},
      {"QuickTime", test::beginning("wide", 4)},
      {"Matroska or WebM", test::beginning("\x1a\x45\xdf\xa3")},
      {"AVI", test::beginning("RIFF1234AVI ")},
      {"MPEG transport stream", test::transport_stream(188)},
      {"MPEG transport stream", test::transport_stream(192)},
      {"MPEG program stream", test::beginning("\x00\x00\x01\xba"s)},
      {"Flash video", test::beginning("FLV\x01")},
      {"ASF or WMV", test::beginning("\x30\x26\xb2\x75\x8e\x66\xcf\x11")},
      {"Ogg video", test::beginning("OggS" + std::string(24, '\0') + "\x80theora")},
      {"YUV4MPEG", test::beginning("YUV4MPEG2 W16")},
      {"MXF", test::beginning("\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"s)},
      {"RealMedia", test::beginning(".RMF")},
      {"GIF", test::gif(2)},
  };
  for (const auto& [name, bytes] : files) {
    const auto type = type_of("a.ts", bytes);
    EXPECT_EQ(type.kind, kVideo) << name;
    EXPECT_STREQ(type.name, name);
  }
}

TEST_F(MediaTypeOfFile, KnowsImagesThatAreNotSupported) {
  const std::pair<const char*, std::string> files[] = {
      {"WebP", test::beginning("RIFF1234WEBP")},
      {"HEIF", test::beginning("ftypheic", 4)},
      {"AVIF", test::beginning("ftypavif", 4)},
      {"TIFF or camera raw", test::beginning("II*\x00"s)},
      {"BMP", test::beginning("BM" + std::string(12, '\0') + "\x28"s)},
      {"PNM", test::beginning("P6\n")},
      {"GIF", test::gif(1)},
  };
  for (const auto& [name, bytes] : files) {
    const auto type = type_of("a", bytes);
    EXPECT_EQ(type.kind, kOtherImage) << name;
    EXPECT_STREQ(type.name, name);
  }
}

TEST_F(MediaTypeOfFile, TypeScriptIsNoVideoAndADamagedVideoIsOne) {
  EXPECT_EQ(type_of("a.ts", "export const a = 1;\n").kind, kOther);
  EXPECT_EQ(type_of("a.mts", "export const a = 1;\n").kind, kOther);
  EXPECT_EQ(type_of("a.mp4", "").kind, kVideo);
  EXPECT_EQ(type_of("a.MTS", test::transport_stream(192)).kind, kVideo);
  EXPECT_EQ(type_of("a.webp", "").kind, kOtherImage);
  EXPECT_EQ(type_of("a.txt", "").kind, kOther);
  EXPECT_EQ(type_of("._a.mp4", test::beginning("\x00\x05\x16\x07"s)).kind, kOther);
  EXPECT_EQ(type_of(".a.mp4", "").kind, kOther);
}

TEST_F(MediaTypeOfFile, SoundIsNoVideoWhateverItsContainer) {
  EXPECT_EQ(type_of("a.m4a", test::beginning("ftypM4A ", 4)).kind, kAudio);
  EXPECT_EQ(type_of("a.m4a", test::beginning("ftypisom", 4)).kind, kAudio);
  EXPECT_EQ(type_of("a.ogg", test::beginning("OggS")).kind, kAudio);
  EXPECT_EQ(type_of("a.weba", test::beginning("\x1a\x45\xdf\xa3")).kind, kAudio);
  EXPECT_EQ(type_of("a", test::beginning("RIFF1234WAVE")).kind, kAudio);
}

TEST_F(MediaTypeOfFile, AJpegIsAnImageUnlessItsNameSaysMotion) {
  const auto jpeg = encode_jpeg(test::smooth_image(8, 8), 90);
  const std::string bytes(jpeg.begin(), jpeg.end());
  EXPECT_EQ(type_of("a.THM", bytes).kind, kImage);
  EXPECT_EQ(type_of("a.mjpeg", bytes + bytes).kind, kVideo);
}

}  // namespace
}  // namespace stc::data
