#include "launcher/version.h"

#include <torch/version.h>

#include "git_revision.h"  // written by the build: STC_VERSION, STC_GIT_REVISION

namespace stc::launcher {

std::string version() {
  const std::string revision = STC_GIT_REVISION;
  return STC_VERSION + (revision.empty() ? "" : " (git " + revision + ")");
}

std::string libtorch_version() { return TORCH_VERSION; }

bool built_with_cuda() {
#ifdef STC_CUDA
  return true;
#else
  return false;
#endif
}

std::string build_name() { return "stc " + version() + ", LibTorch " + libtorch_version(); }

std::string version_text() {
  return "stc " + version() + "\nLibTorch " + libtorch_version() + "\nCUDA " +
         (built_with_cuda() ? "yes" : "no");
}

}  // namespace stc::launcher
