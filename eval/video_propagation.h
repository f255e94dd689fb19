// One video, frame by frame: labels of the first frame in, a label map of each later one out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/image.h"
#include "data/propagation_input.h"
#include "eval/label_propagation.h"
#include "models/resnet.h"

namespace stc::eval {

struct VideoOptions {
  std::int64_t short_side = 480;  ///< of the network's input; the ratio is kept
  /// A label for every object of the first frame. false: as many as the map at feature size still
  /// shows, so that an object lost in shrinking is lost for good (the rule behind published
  /// numbers).
  bool keep_channels = false;
  PropagationOptions propagation;
};

/// Where the time went.
struct StageSeconds {
  double features = 0;     ///< resizing, Lab and the network
  double propagation = 0;  ///< the search and the vote
  double masks = 0;        ///< soft labels to a mask of the frame's size
  StageSeconds& operator+=(const StageSeconds& other);
};

class VideoPropagation {
 public:
  /// `trunk` has the strides of label propagation and outlives this; the features are those of its
  /// third stage. Throws stc::Error (kBadData) naming `labels_name` where `labels` is not of the
  /// frame's size.
  VideoPropagation(const models::ResNet& trunk,
                   const VideoOptions& options,
                   const data::Image& first,
                   const data::LabelMap& labels,
                   const std::string& labels_name);

  /// The first frame's labels after they went through the size of the network's input.
  data::LabelMap first_mask() const;
  /// `frame` has the first one's size; `name` stands in the error where it has not.
  data::LabelMap next(const data::Image& frame, const std::string& name);

  /// Objects of the first frame that its map at feature size no longer shows.
  const std::vector<int>& lost_objects() const { return lost_objects_; }
  const StageSeconds& seconds() const { return seconds_; }

 private:
  at::Tensor features(const data::Image& frame);

  const models::ResNet& trunk_;
  VideoOptions options_;
  data::PictureSize frame_size_, input_size_;
  data::LabelMap input_labels_;
  std::vector<int> lost_objects_;
  std::optional<LabelPropagation> propagation_;
  StageSeconds seconds_;
};

/// 255 in a first frame's labels: the object 1 where there is nothing but 0 and 255 (a binary
/// mask), else background. Returns what was done, in words; empty where there was no 255.
std::string settle_void(data::LabelMap* labels);

}  // namespace stc::eval
