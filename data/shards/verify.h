// Checks every entry of a set: its checksum, and whether it decodes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace stc::data {

struct VerifyOptions {
  int threads = 1;
  std::function<void(const std::string& line)> on_bad;  ///< "FILE: entry I (NAME): what is wrong"
  std::function<void(std::int64_t done, std::int64_t total)> progress = [](auto, auto) {};
};

struct VerifySummary {
  std::int64_t entries = 0;
  std::int64_t videos = 0;
  std::int64_t bad = 0;
  std::string digest;
};

/// Throws stc::Error (kBadData) if the set does not open.
VerifySummary verify_shards(const std::string& folder, const VerifyOptions& options);

}  // namespace stc::data
