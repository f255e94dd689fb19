// One video, frame by frame: what the first frame shows in, masks or heat maps of key points
// (JHMDB), the same of each later frame out.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/images/image.h"
#include "data/images/propagation_input.h"
#include "eval/propagation/frame_features.h"
#include "eval/propagation/label_propagation.h"
#include "eval/propagation/stage_timer.h"

namespace stc::eval {

/// How the first mask is reduced to feature size.
enum class FirstLabels {
  kNearest,   ///< in two steps, by the nearest pixel (PIL): to the input's size, then the features'
  kBilinear,  ///< in one step, each label's mask bilinearly (not antialiased): soft at the rims
};

struct VideoOptions {
  FirstLabels first_labels = FirstLabels::kNearest;
  bool stretch = true;  ///< see to_mask()
  /// A label for every object of the first frame. false: as many as the map at feature size still
  /// shows, so that an object lost in shrinking is lost for good (the rule behind published
  /// numbers).
  bool keep_channels = false;
  PropagationOptions propagation;
};

class VideoPropagation {
 public:
  /// `first`: the features of a frame of `labels`' size.
  VideoPropagation(const VideoOptions& options,
                   const FrameFeatures& first,
                   const data::LabelMap& labels);

  /// The first frame's labels after they went through the size of the network's input.
  data::LabelMap first_mask() const;
  /// The next frame's labels, from its features.
  data::LabelMap next(const at::Tensor& features);

  /// Objects of the first frame that its map at feature size no longer shows.
  const std::vector<int>& lost_objects() const { return lost_objects_; }
  double propagation_seconds() const {
    return propagation_timer_.seconds();
  }  ///< the search and the vote
  double mask_seconds() const {
    return mask_timer_.seconds();
  }  ///< soft labels to masks of frame size

 private:
  data::PictureSize frame_size_;
  bool stretch_;
  data::LabelMap input_labels_;
  std::vector<int> lost_objects_;
  std::optional<LabelPropagation> propagation_;
  StageTimer propagation_timer_, mask_timer_;
};

/// Throws stc::Error (kBadData) naming `labels_name` if the mask is not of the frame's size.
void check_mask_size(const data::LabelMap& labels,
                     const std::string& labels_name,
                     const data::Image& frame);

struct ResolvedLabels {
  data::LabelMap labels;
  std::string note;  ///< what was done, for the user; empty if there was no 255
};

/// 255 in a first frame's labels: object 1 if there is nothing but 0 and 255 (a binary mask), else
/// background.
ResolvedLabels resolve_void(data::LabelMap labels);

/// The resolved labels of a file. Throws stc::Error (kBadData) naming it for what
/// data/benchmarks/object_masks.h refuses: soft edges, stray pixels beside an object of 255.
ResolvedLabels read_first_mask(const std::string& path);

class HeatMapPropagation {
 public:
  /// maps [J, H, W], double, of the size of the frame that `first` are the features of.
  HeatMapPropagation(const PropagationOptions& options,
                     const FrameFeatures& first,
                     const at::Tensor& maps);

  /// [J, H, W], double: the first frame's maps after they went through the size of the network's
  /// input.
  at::Tensor first_maps() const;
  /// [J, H, W], of the features' dtype: the next frame's maps, from its features.
  at::Tensor next(const at::Tensor& features);

  double propagation_seconds() const {
    return propagation_timer_.seconds();
  }  ///< the search and the vote
  double map_seconds() const {
    return map_timer_.seconds();
  }  ///< soft labels to maps of frame size

 private:
  data::PictureSize frame_size_;
  at::Tensor input_maps_;
  LabelPropagation propagation_;
  StageTimer propagation_timer_, map_timer_;
};

}  // namespace stc::eval
