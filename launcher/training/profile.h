// A profile of what this process does between two moments, by LibTorch's profiler (Kineto).
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>

namespace stc::launcher {

/// Of the operators and ranges of the thread that makes it, of backward for it on other threads,
/// and of all that runs on the GPU. At most one at a time.
class Profile {
 public:
  explicit Profile(c10::Device device);  ///< begins, once the device has done what it was given
  ~Profile();
  Profile(const Profile&) = delete;

  /// Ends, once the device has done it. The rest may be called after it.
  void end();
  std::int64_t kernels() const;  ///< that the GPU ran
  /// As a trace in Chrome's format. Throws stc::Error when it cannot be written.
  void save(const std::string& path) const;

 private:
  struct Result;

  c10::Device device_;
  std::unique_ptr<Result> result_;
};

}  // namespace stc::launcher
