// Finds what there is to pack, and counts what cannot be used. Private to data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/packing/pack_options.h"
#include "data/shards/manifest.h"

namespace stc::data {

struct PackSource {
  std::string name;  ///< relative to the source that was given
  std::string path;
};

/// Both in natural order of the name. Throw stc::Error (kBadData) for what is missing or holds
/// nothing.
std::vector<PackSource> find_images(const std::vector<std::string>& sources);
std::vector<PackSource> find_videos(const std::vector<std::string>& sources);

/// Images of one folder, not recursive, by content; files that only call themselves .jpg or .png
/// are among them, so that a damaged one is an error rather than silently left out.
std::vector<std::string> frames_of_folder(const std::string& folder);

PackSummary summary_of(const Manifest& manifest, std::int64_t skipped);

/// Names each bad source in the log; throws stc::Error (kBadData) in the end, unless they may be
/// skipped.
class BadSources {
 public:
  explicit BadSources(const PackOptions& options) : may_skip_(options.skip_bad) {}

  void add(const std::string& error);
  std::int64_t count() const { return count_; }
  bool is_fatal() const { return count_ > 0 && !may_skip_; }
  /// Without skipping there is no need to look on for ever.
  bool is_enough() const { return is_fatal() && count_ >= kMostNamed; }
  void check(std::int64_t sources) const;

 private:
  static constexpr std::int64_t kMostNamed = 20;
  bool may_skip_;
  std::int64_t count_ = 0;
};

}  // namespace stc::data
