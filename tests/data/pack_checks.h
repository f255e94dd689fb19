// What the tests of packing and verifying share.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/file.h"
#include "data/images/image.h"
#include "data/packing/pack.h"
#include "data/shards/shard_set.h"
#include "monitoring/check.h"
#include "tests/data/test_images.h"
#include "tests/support/temporary_folder.h"

namespace stc::test {

/// A JPEG of its own for each seed; folders are made on the way.
inline std::vector<std::uint8_t> write_jpeg(const std::string& path, int seed) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  auto bytes = data::encode_jpeg(smooth_image(16, 24, seed), 90);
  data::write_file(path, bytes);
  return bytes;
}

inline void write_text(const std::string& path, const std::string& text) {
  data::write_file(path, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

/// Takes away the second half of a file.
inline void cut_short(const std::string& path) {
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
}

inline std::vector<std::string> names_of(const data::ShardSet& set) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < set.size(); ++i) names.push_back(set.name(i));
  return names;
}

struct Outcome {
  Exit exit = Exit::kFine;
  std::string said;  ///< the log, then the error
};

template <typename Action>
Outcome outcome_of(const Action& action) {
  testing::internal::CaptureStderr();
  Outcome outcome;
  std::string message;
  try {
    action();
  } catch (const Error& error) {
    outcome.exit = error.exit();
    message = error.what();
  }
  outcome.said = testing::internal::GetCapturedStderr() + message;
  return outcome;
}

/// A set to be packed into a folder of the test's own, by `kPack`: pack_images() or pack_videos().
template <auto kPack>
class PackTest : public testing::Test {
 protected:
  PackTest() { options_.out = folder_ / "set"; }

  Outcome pack(const std::vector<std::string>& sources) {
    return outcome_of([&] { summary_ = kPack(sources, options_); });
  }
  bool nothing_is_left() const {
    return !std::filesystem::exists(options_.out) &&
           !std::filesystem::exists(options_.out + ".partial");
  }

  TemporaryFolder folder_;
  data::PackOptions options_;
  data::PackSummary summary_;
};

}  // namespace stc::test
