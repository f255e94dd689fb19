// As much static thread-local storage as CUDA's libraries bring: it lies in the stack of each
// thread, and a thread with a small stack of its own cannot start, or ends the process.
namespace {

__attribute__((tls_model("initial-exec"))) thread_local char storage[256 << 10];

}  // namespace

extern "C" char* stc_static_tls() { return storage; }
