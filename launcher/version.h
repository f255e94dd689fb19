// Which build this is. Neither host nor time is in it, so equal sources give equal files.
#pragma once

#include <string>

namespace stc::launcher {

std::string version();  ///< "0.2.0 (git d87ce34)"; without the bracket outside a git checkout
std::string libtorch_version();  ///< "2.13.0"
bool built_with_cuda();
/// "stc 0.2.0 (git d87ce34), LibTorch 2.13.0", as checkpoints, metrics and summaries name it.
std::string build_name();
std::string version_text();  ///< what `stc --version` prints: three lines

}  // namespace stc::launcher
