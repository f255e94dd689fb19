// Where stored cases are (tests/golden/README.md).
#pragma once

#include <cstdlib>
#include <string>

namespace stc::test {

/// The source folder's tests/golden, or STC_GOLDEN_FOLDER where the tests run without the sources.
inline std::string golden_folder() {
  const char* given = std::getenv("STC_GOLDEN_FOLDER");
  return given && *given ? given : STC_GOLDEN_FOLDER;
}

}  // namespace stc::test
