// Errors that an operator can act on: what was seen, what was expected, what to do.
#pragma once

#include <stdexcept>
#include <string>

#include "monitoring/text.h"

namespace stc {

/// What main() returns. 128 + signal is returned after a graceful stop with a checkpoint.
enum class Exit { kFine = 0, kFailed = 1, kUsage = 2, kBadData = 3, kLostRank = 4 };

/// The only exception of the project. Only main() catches it, logs it in one line, and returns its
/// exit code.
class Error : public std::runtime_error {
 public:
  Error(Exit code, const std::string& message) : std::runtime_error(message), exit_(code) {}
  Exit exit() const { return exit_; }

 private:
  Exit exit_;
};

/// LibTorch's errors carry a backtrace after their first line; that line is what an operator can
/// use.
inline std::string first_line(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

}  // namespace stc

// Each takes a condition and a message, as text() does.
#define STC_CHECK_AS(code, condition, ...)                                  \
  do {                                                                      \
    if (!(condition)) throw ::stc::Error((code), ::stc::text(__VA_ARGS__)); \
  } while (false)
#define STC_CHECK(condition, ...) STC_CHECK_AS(::stc::Exit::kFailed, condition, __VA_ARGS__)
#define STC_CHECK_USAGE(condition, ...) STC_CHECK_AS(::stc::Exit::kUsage, condition, __VA_ARGS__)
#define STC_CHECK_DATA(condition, ...) STC_CHECK_AS(::stc::Exit::kBadData, condition, __VA_ARGS__)
