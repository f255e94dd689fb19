// What a file is, by its content: names and endings are promises only.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace stc::data {

enum class MediaKind {
  kImage,       ///< JPEG or PNG, which decode_image() takes
  kOtherImage,  ///< an image of another format
  kVideo,
  kAudio,
  kOther,
};

struct MediaType {
  MediaKind kind = MediaKind::kOther;
  const char* name = "";  ///< of the format, "WebP"; "" if it is not known
};

/// Enough of a file's beginning for media_type_of().
constexpr std::size_t kMediaStart = 4096;

/// By the first bytes of a file. A GIF is a video here; whether it moves is for media_type().
MediaType media_type_of(std::span<const std::uint8_t> start);

/// By content, or where that says nothing, by the ending: .mp4 is a video even if it is damaged,
/// .webp an image; `.ts`, which is TypeScript as well, says nothing. A hidden file is judged by its
/// content alone, and a GIF is a video if it has more than one frame. Throws stc::Error (kBadData)
/// if the file cannot be read.
MediaType media_type(const std::string& path);

}  // namespace stc::data
