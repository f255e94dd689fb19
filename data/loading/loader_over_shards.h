// The loaders over an open data set; make_image_loader and make_clip_loader open the folder and
// call these.
#pragma once

#include <memory>

#include "data/loading/loader.h"
#include "data/shards/shard_set.h"

namespace stc::data {

std::unique_ptr<ImageLoader> make_image_loader(std::shared_ptr<const ShardSet> shards,
                                               const LoaderOptions& loader,
                                               const ImageOptions& images,
                                               const SampleWindow& window,
                                               std::int64_t first_step);
std::unique_ptr<ClipLoader> make_clip_loader(std::shared_ptr<const ShardSet> shards,
                                             const LoaderOptions& loader,
                                             const ClipOptions& clips,
                                             const SampleWindow& window,
                                             std::int64_t first_step);

}  // namespace stc::data
