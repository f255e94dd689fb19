// Two views of each image of a set of shards. Private to data.
#pragma once

#include <cstdint>
#include <memory>

#include "data/augment/image_augment.h"
#include "data/loading/batch.h"
#include "data/loading/sample_source.h"
#include "data/shards/shard_set.h"

namespace stc::data {

/// Throws stc::Error: kUsage for options out of range, kBadData for shards of the other kind or
/// too few samples.
std::unique_ptr<SampleSource<ImageBatch>> make_image_source(std::shared_ptr<const ShardSet> shards,
                                                            std::uint64_t seed,
                                                            const ImageOptions& options);

}  // namespace stc::data
