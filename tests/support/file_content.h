// All of a file, for comparison.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

namespace stc::test {

inline std::string content(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

}  // namespace stc::test
