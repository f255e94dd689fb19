#include "data/shards/verify.h"

#include "data/images/image.h"
#include "data/in_order.h"
#include "data/shards/shard_set.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

std::string complaint_about(const ShardSet& set, std::int64_t entry) {
  try {
    decode_image(set.read(entry), set.place(entry));
  } catch (const Error& cause) {
    return cause.what();
  }
  return "";
}

}  // namespace

VerifySummary verify_shards(const std::string& folder, const VerifyOptions& options) {
  const auto set = ShardSet::open(folder);
  VerifySummary summary{
      set->size(), static_cast<std::int64_t>(set->videos().size()), 0, set->digest()};
  const auto make = [&](std::size_t i) {
    return complaint_about(*set, static_cast<std::int64_t>(i));
  };
  const auto consume = [&](std::size_t i, const std::string& complaint) {
    if (!complaint.empty()) {
      ++summary.bad;
      options.on_bad(complaint);
    }
    options.progress(static_cast<std::int64_t>(i) + 1, summary.entries);
    return true;
  };
  in_order(static_cast<std::size_t>(set->size()), options.threads, make, consume);
  return summary;
}

}  // namespace stc::data
