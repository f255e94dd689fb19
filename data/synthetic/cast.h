// What a synthetic clip shows: which parts of which photographs, and how they move.
#pragma once

#include <memory>
#include <vector>

#include "data/synthetic/clips.h"
#include "data/synthetic/scene.h"

namespace stc::data {

/// A background that drifts, one or two labelled cut-outs that cross, and unlabelled ones around,
/// behind and in front of them. photos[0] is the background; the others, at least three, are cut.
/// All must cover the frame with a third to spare. Each labelled cut-out starts in view and is
/// never hidden wholly (checked over the clip's frames).
Scene cast_scene(const std::vector<std::shared_ptr<const Image>>& photos,
                 const SyntheticClipOptions& options,
                 int objects,
                 int clip);

}  // namespace stc::data
