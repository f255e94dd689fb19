// One line an event, rank in front; the terminal shows rank 0 (and every rank's errors), a file
// keeps each rank's own.
#pragma once

#include <functional>
#include <string>

namespace stc::log {

/// Before this call, lines go to standard error without a rank. `file` empty: no file. Appends to
/// an existing file.
void open(int rank, int world, const std::string& file);

void info(const std::string& line);     ///< terminal on rank 0 only, and the file
void warning(const std::string& line);  ///< the same
void error(const std::string& line);    ///< terminal on every rank, and the file; flushed at once

/// Called before each line on the terminal, so that a progress bar can leave it. Must not log.
/// Empty: none.
void before_terminal_line(std::function<void()> clear);

}  // namespace stc::log
