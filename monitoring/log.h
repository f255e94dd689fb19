// One line per event, rank in front; the terminal shows rank 0 (and every rank's errors), a file
// keeps each rank's own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "monitoring/text.h"

namespace stc::log {

struct FileOptions {
  std::string path;   ///< empty: no file. An existing one is appended to
  bool json = false;  ///< a line is an object: time, level, rank, world, step, message
  std::int64_t rotate_bytes = 64 << 20;  ///< a longer rank-0.log becomes rank-0.1.log, that .2, ...
  std::int64_t keep = 5;                 ///< so many of them
};

/// Before this call, lines go to standard error without a rank.
void open(int rank, int world, const FileOptions& file = {});

enum class Level { kInfo, kWarning, kError };

void write(Level level, const std::string& line);

/// On the terminal on rank 0 only, and in the file. The message is as for text().
template <typename... Values>
void info(Format<sizeof...(Values)> format, const Values&... values) {
  write(Level::kInfo, text(format, values...));
}

/// The same, marked.
template <typename... Values>
void warning(Format<sizeof...(Values)> format, const Values&... values) {
  write(Level::kWarning, text(format, values...));
}

/// On the terminal on every rank, and in the file.
template <typename... Values>
void error(Format<sizeof...(Values)> format, const Values&... values) {
  write(Level::kError, text(format, values...));
}

/// Called before each line on the terminal, so that a progress bar can make way. Must not
/// log. Empty: none.
void before_terminal_line(std::function<void()> clear);

}  // namespace stc::log
