// LibTorch's errors carry a backtrace after their first line; that line is what an operator can
// use.
#pragma once

#include <string>

namespace stc::launcher {

inline std::string first_line(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

}  // namespace stc::launcher
