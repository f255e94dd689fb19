// Names of files are bytes; what is written about them is text. Names stay bytes inside the program
// and go through one of these where they are written: a file, a table, a terminal.
#pragma once

#include <string>
#include <string_view>

namespace stc {

/// UTF-8 that can be read back: each byte that is not part of valid UTF-8 becomes \xHH (two
/// hexadecimal digits), and so does a backslash in front of what would be read as such an escape.
/// Valid UTF-8 without such a backslash is unchanged.
std::string escaped(std::string_view bytes);

/// The bytes that escaped() was given: every \xHH becomes its byte.
std::string unescaped(std::string_view text);

/// For what people read: bytes that are not UTF-8 and control characters (line breaks, the start of
/// a terminal's commands) become \xHH, except those in `kept`. Backslashes stay, so it is not for
/// reading back.
std::string printable(std::string_view bytes, std::string_view kept = "\t");

}  // namespace stc
