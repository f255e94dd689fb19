#include "data/images/media_type.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "data/file.h"
#include "data/folder_listing.h"
#include "data/images/image.h"

namespace stc::data {
namespace {

using enum MediaKind;
using std::string_view;
using std::literals::operator""sv;

struct Magic {
  std::size_t at;
  string_view bytes;
  MediaType type;
};

const Magic kMagics[] = {
    {0, "\x1a\x45\xdf\xa3"sv, {kVideo, "Matroska or WebM"}},
    {0, "FLV\x01"sv, {kVideo, "Flash video"}},
    {0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"sv, {kVideo, "ASF or WMV"}},
    {0, ".RMF"sv, {kVideo, "RealMedia"}},
    {0, "YUV4MPEG2 "sv, {kVideo, "YUV4MPEG"}},
    {0, "\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"sv, {kVideo, "MXF"}},
    {0, "\x00\x00\x01\xba"sv, {kVideo, "MPEG program stream"}},
    {0, "\x00\x00\x01\xb3"sv, {kVideo, "MPEG video"}},
    {0, "\x00\x00\x00\x01\x67"sv, {kVideo, "H.264"}},
    {0, "\x00\x00\x00\x01\x40\x01"sv, {kVideo, "H.265"}},
    {0, "DKIF\x00\x00"sv, {kVideo, "IVF"}},
    {0, "nut/multimedia container\x00"sv, {kVideo, "NUT"}},
    {0, "\x1f\x07\x00"sv, {kVideo, "DV"}},
    {0, "DHAV"sv, {kVideo, "DAV"}},
    {0, "GIF87a"sv, {kVideo, "GIF"}},
    {0, "GIF89a"sv, {kVideo, "GIF"}},
    {4, "moov"sv, {kVideo, "QuickTime"}},
    {4, "mdat"sv, {kVideo, "QuickTime"}},
    {4, "wide"sv, {kVideo, "QuickTime"}},
    {4, "pnot"sv, {kVideo, "QuickTime"}},
    {4, "free"sv, {kVideo, "QuickTime"}},
    {4, "skip"sv, {kVideo, "QuickTime"}},
    {0, "ID3"sv, {kAudio, "MP3"}},
    {0, "fLaC"sv, {kAudio, "FLAC"}},
    {0, "II*\x00"sv, {kOtherImage, "TIFF or camera raw"}},
    {0, "MM\x00*"sv, {kOtherImage, "TIFF or camera raw"}},
    {0, "II+\x00"sv, {kOtherImage, "TIFF or camera raw"}},
    {0, "IIU\x00"sv, {kOtherImage, "camera raw"}},
    {0, "IIRO"sv, {kOtherImage, "camera raw"}},
    {0, "FUJIFILMCCD-RAW"sv, {kOtherImage, "camera raw"}},
    {0, "\x00\x00\x00\x0cjP  \r\n"sv, {kOtherImage, "JPEG 2000"}},
    {0, "\xff\x4f\xff\x51"sv, {kOtherImage, "JPEG 2000"}},
    {0, "\x00\x00\x00\x0cJXL \r\n"sv, {kOtherImage, "JPEG XL"}},
    {0, "8BPS\x00"sv, {kOtherImage, "Photoshop"}},
    {0, "\x76\x2f\x31\x01"sv, {kOtherImage, "OpenEXR"}},
    {0, "#?RADIANCE"sv, {kOtherImage, "Radiance HDR"}},
    {0, "\x00\x05\x16\x07"sv, {kOther, "AppleDouble"}},
    {0, "\x00\x05\x16\x00"sv, {kOther, "AppleSingle"}},
};

const std::vector<std::string> kVideoEndings = {
    ".mp4",  ".m4v", ".mov", ".qt",   ".avi",  ".divx", ".mkv", ".mk3d", ".webm",  ".mpg",
    ".mpeg", ".mpe", ".m1v", ".m2v",  ".m2ts", ".m2t",  ".vob", ".wmv",  ".asf",   ".flv",
    ".f4v",  ".ogv", ".ogm", ".3gp",  ".3g2",  ".y4m",  ".mxf", ".rmvb", ".mjpeg", ".mjpg",
    ".h264", ".264", ".avc", ".h265", ".265",  ".hevc", ".ivf", ".nut",  ".insv",  ".wtv"};
const std::vector<std::string> kAudioEndings = {".mp3",
                                                ".m4a",
                                                ".m4b",
                                                ".aac",
                                                ".ogg",
                                                ".oga",
                                                ".opus",
                                                ".weba",
                                                ".mka",
                                                ".wma",
                                                ".flac",
                                                ".wav",
                                                ".ac3",
                                                ".aif",
                                                ".aiff",
                                                ".amr",
                                                ".mid"};

struct ImageEnding {
  const char* ending;
  const char* name;
};
constexpr ImageEnding kImageEndings[] = {{".webp", "WebP"},
                                         {".heic", "HEIF"},
                                         {".heif", "HEIF"},
                                         {".avif", "AVIF"},
                                         {".tif", "TIFF or camera raw"},
                                         {".tiff", "TIFF or camera raw"},
                                         {".bmp", "BMP"},
                                         {".gif", "GIF"},
                                         {".jp2", "JPEG 2000"},
                                         {".jxl", "JPEG XL"},
                                         {".psd", "Photoshop"},
                                         {".dng", "camera raw"},
                                         {".nef", "camera raw"},
                                         {".cr2", "camera raw"},
                                         {".cr3", "camera raw"},
                                         {".arw", "camera raw"},
                                         {".rw2", "camera raw"},
                                         {".orf", "camera raw"},
                                         {".raf", "camera raw"},
                                         {".exr", "OpenEXR"},
                                         {".hdr", "Radiance HDR"},
                                         {".tga", "Targa"},
                                         {".svg", "SVG"},
                                         {".ico", "icon"},
                                         {".ppm", "PNM"},
                                         {".pgm", "PNM"},
                                         {".pbm", "PNM"},
                                         {".pnm", "PNM"}};

bool has(string_view start, std::size_t at, string_view bytes) {
  return start.size() >= at + bytes.size() && start.substr(at, bytes.size()) == bytes;
}

// ISO base media: what it is for is in its brand.
MediaType by_brand(string_view brand) {
  for (const auto* still : {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"})
    if (brand == still) return {kOtherImage, "HEIF"};
  if (brand == "avif" || brand == "avis") return {kOtherImage, "AVIF"};
  if (brand == "crx ") return {kOtherImage, "camera raw"};
  if (brand.starts_with("M4A") || brand.starts_with("M4B")) return {kAudio, "MPEG-4 audio"};
  return {kVideo, "MP4 or QuickTime"};
}

MediaType by_riff_form(string_view form) {
  if (form == "AVI " || form == "AMV ") return {kVideo, "AVI"};
  if (form == "WEBP") return {kOtherImage, "WebP"};
  if (form == "WAVE") return {kAudio, "WAVE"};
  return {};
}

// The first page of each stream begins with the codec's name; the video's comes first.
MediaType by_ogg_codec(string_view start) {
  for (const auto* codec : {"\x80theora",
                            "BBCD",
                            "\x80"
                            "daala",
                            "OVP80",
                            "\x01video"})
    if (start.substr(0, 512).find(codec) != string_view::npos) return {kVideo, "Ogg video"};
  return {kAudio, "Ogg audio"};
}

// Packets of 188 bytes, with a time code in front (m2ts), or with error correction behind.
bool is_transport_stream(string_view start) {
  constexpr int kPackets = 3;
  for (const auto& [first, length] : {std::pair{0, 188}, {4, 192}, {0, 204}}) {
    int synchronised = 0;
    for (; synchronised < kPackets; ++synchronised) {
      const auto at = static_cast<std::size_t>(first + synchronised * length);
      if (at >= start.size() || start[at] != '\x47') break;
    }
    if (synchronised == kPackets) return true;
  }
  return false;
}

bool is_bmp(string_view start) {
  constexpr string_view kHeaderSizes = "\x0c\x28\x34\x38\x40\x6c\x7c";
  return has(start, 0, "BM") && start.size() > 18 &&
         kHeaderSizes.find(start[14]) != string_view::npos && has(start, 15, "\0\0\0"sv);
}

bool is_pnm(string_view start) {
  return start.size() > 2 && start[0] == 'P' && start[1] >= '1' && start[1] <= '7' &&
         (start[2] == '\n' || start[2] == ' ' || start[2] == '\r');
}

/// Position behind a chain of GIF's sub-blocks; past the end if it is cut short.
std::size_t after_sub_blocks(std::span<const std::uint8_t> gif, std::size_t at) {
  while (at < gif.size() && gif[at] != 0) at += std::size_t{1} + gif[at];
  return at + 1;
}

std::size_t colour_table_bytes(std::uint8_t flags) {
  return (flags & 0x80) != 0 ? std::size_t{3} << ((flags & 7) + 1) : 0;
}

bool has_second_frame(std::span<const std::uint8_t> gif) {
  if (gif.size() < 13) return false;
  int frames = 0;
  for (auto at = 13 + colour_table_bytes(gif[10]); at + 10 < gif.size();) {
    if (gif[at] == 0x21) {
      at = after_sub_blocks(gif, at + 2);
    } else if (gif[at] == 0x2c) {
      if (++frames == 2) return true;
      at = after_sub_blocks(gif, at + 10 + colour_table_bytes(gif[at + 9]) + 1);
    } else {
      return false;
    }
  }
  return false;
}

MediaType by_ending(const std::string& path) {
  if (has_ending(path, kVideoEndings)) return {kVideo, ""};
  if (has_ending(path, kAudioEndings)) return {kAudio, ""};
  for (const auto& [ending, name] : kImageEndings)
    if (has_ending(path, {ending})) return {kOtherImage, name};
  return {};
}

}  // namespace

MediaType media_type_of(std::span<const std::uint8_t> bytes) {
  if (image_format(bytes) == ImageFormat::kJpeg) return {kImage, "JPEG"};
  if (image_format(bytes) == ImageFormat::kPng) return {kImage, "PNG"};
  const string_view start(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const auto& magic : kMagics)
    if (has(start, magic.at, magic.bytes)) return magic.type;
  if (has(start, 4, "ftyp") && start.size() >= 12) return by_brand(start.substr(8, 4));
  if (has(start, 0, "RIFF") && start.size() >= 12) return by_riff_form(start.substr(8, 4));
  if (has(start, 0, "OggS")) return by_ogg_codec(start);
  if (is_transport_stream(start)) return {kVideo, "MPEG transport stream"};
  if (is_bmp(start)) return {kOtherImage, "BMP"};
  if (is_pnm(start)) return {kOtherImage, "PNM"};
  return {};
}

MediaType media_type(const std::string& path) {
  const InputFile file(path);
  std::vector<std::uint8_t> start(std::min<std::uint64_t>(file.size(), kMediaStart));
  file.read(0, start);
  auto type = media_type_of(start);
  const auto promised = is_hidden(path) ? MediaType() : by_ending(path);
  if (std::string_view(type.name) == "GIF") {
    if (!has_second_frame(read_file(path))) type.kind = kOtherImage;
  } else if (type.kind == kImage && promised.kind == kVideo) {
    type = {kVideo, "Motion JPEG"};
  } else if (type.kind == kVideo && promised.kind == kAudio) {
    type.kind = kAudio;  // audio in a container that holds videos, too
  } else if (type.kind == kOther && type.name[0] == '\0') {
    type = promised;
  }
  return type;
}

}  // namespace stc::data
