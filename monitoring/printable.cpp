#include "monitoring/printable.h"

#include <cctype>
#include <cstddef>

namespace stc {
namespace {

unsigned char byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
}

/// Length of the valid UTF-8 character at `at`, or 0: no overlong forms, no surrogates, at most
/// U+10FFFF.
std::size_t character_length(std::string_view bytes, std::size_t at) {
  const auto first = byte_at(bytes, at);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const auto second = byte_at(bytes, at + 1);
  const unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(bytes, at + i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

bool is_escape(std::string_view text, std::size_t at) {
  return byte_at(text, at) == '\\' && byte_at(text, at + 1) == 'x' &&
         std::isxdigit(byte_at(text, at + 2)) != 0 && std::isxdigit(byte_at(text, at + 3)) != 0;
}

// C0, DEL, and C1, which are two bytes (0xc2 0x80 to 0xc2 0x9f).
bool is_control(std::string_view bytes, std::size_t at) {
  const auto first = byte_at(bytes, at);
  return first < 0x20 || first == 0x7f || (first == 0xc2 && byte_at(bytes, at + 1) < 0xa0);
}

void append_escape(std::string& out, unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

/// Escapes bytes that are not UTF-8, and characters for which `is_special` is true.
template <typename IsSpecial>
std::string with_escapes(std::string_view bytes, const IsSpecial& is_special) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const auto valid = character_length(bytes, at);
    const auto length = valid == 0 ? 1 : valid;
    if (valid != 0 && !is_special(bytes, at)) {
      out += bytes.substr(at, length);
    } else {
      for (std::size_t i = 0; i < length; ++i) append_escape(out, byte_at(bytes, at + i));
    }
    at += length;
  }
  return out;
}

}  // namespace

std::string escaped(std::string_view bytes) { return with_escapes(bytes, is_escape); }

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (is_escape(text, at)) {
      out += static_cast<char>(std::stoi(std::string(text.substr(at + 2, 2)), nullptr, 16));
      at += 4;
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string printable(std::string_view bytes, std::string_view kept) {
  return with_escapes(bytes, [&](std::string_view all, std::size_t at) {
    return is_control(all, at) && kept.find(all[at]) == std::string_view::npos;
  });
}

}  // namespace stc
