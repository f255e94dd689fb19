#include "data/packing/pack_images.h"

#include "data/in_order.h"
#include "data/packing/pack_sources.h"
#include "data/packing/stored_image.h"
#include "data/shards/shard_writer.h"
#include "monitoring/check.h"

namespace stc::data {

PackSummary pack_images(const std::vector<std::string>& sources, const PackOptions& options) {
  options.check();
  const auto images = find_images(sources);
  const auto existing = options.force ? Existing::kReplace : Existing::kRefuse;
  ShardWriter writer(options.out, ShardKind::kImages, options.shard_bytes, existing);
  BadSources bad(options);

  const auto make = [&](std::size_t i) { return store_file(images[i].path, options); };
  const auto consume = [&](std::size_t i, StoredImage image) {
    if (!image.error.empty()) {
      bad.add(image.error);
    } else if (!bad.is_fatal()) {
      writer.add(images[i].name, image.bytes);
    }
    options.progress(static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(images.size()));
    return !bad.is_enough();
  };
  in_order(images.size(), options.threads, make, consume);
  bad.check(static_cast<std::int64_t>(images.size()));
  return summary_of(writer.finish(), bad.count());
}

}  // namespace stc::data
