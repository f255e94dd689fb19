#include "launcher/process_start.h"

#include <unistd.h>

#include <cstdlib>

namespace stc::launcher {
namespace {

// On cores that are shared (with loader threads, other ranks, other jobs) a thread that spins keeps
// the one it waits for from running: a step took five times as long on a busy machine.
bool is_wait_policy_set() {
  return std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr;
}

// A training step frees and asks for the same large blocks again and again. By default the
// heap gives each of them back to the system, which hands out zeroed pages one fault at a time: a
// tenth of a CPU step. Kept instead, in large pages if the system has them.
constexpr char kHeap[] =
    "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=17179869184:"
    "glibc.malloc.top_pad=67108864:glibc.malloc.hugetlb=1";

bool is_heap_configured() {
  for (const char* name :
       {"GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "LD_PRELOAD"})
    if (std::getenv(name) != nullptr) return true;
  return false;
}

}  // namespace

void start_with_settings(char** argv) {
  // LibTorch's profiler reports its starts and stops as errors; below 99 it says so.
  setenv("KINETO_LOG_LEVEL", "99", /*overwrite=*/0);
  if (is_wait_policy_set() && is_heap_configured()) return;
  if (!is_wait_policy_set()) setenv("OMP_WAIT_POLICY", "passive", 1);
  if (!is_heap_configured()) setenv("GLIBC_TUNABLES", kHeap, 1);
  execv("/proc/self/exe", argv);  // returns only on failure; then this process continues as it is
}

}  // namespace stc::launcher
