// Which device a run computes on; never another one in silence.
#pragma once

#include <string>

namespace stc::launcher {

/// Throws stc::Error (kUsage) where "cuda" is asked for and this build or machine has none. "cpu"
/// always passes.
void require_device(const std::string& device);

/// "cpu" and "cuda" as they are (checked); "auto" becomes cuda where a GPU is usable, else cpu.
std::string choose_device(const std::string& asked);

}  // namespace stc::launcher
