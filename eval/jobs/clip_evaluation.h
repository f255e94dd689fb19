// The evaluation of one clip by one variant: frame after frame in, a record out.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/images/image.h"
#include "eval/drawing/overlay_files.h"
#include "eval/propagation/video_propagation.h"
#include "eval/scores/score_tables.h"

namespace stc::eval {

/// One way to propagate labels, and the folder of its masks and tables. Variants of one benchmark
/// share the features of each frame.
struct Variant {
  VideoOptions video;
  std::string out;
};

/// Where the time of one clip went, apart from its features.
struct ClipSeconds {
  double propagation = 0;  ///< the search and the vote
  double masks = 0;        ///< soft labels to what is scored
  double files = 0;        ///< reading frames, writing masks
  double scoring = 0;
};

class ClipEvaluation {
 public:
  ClipEvaluation(const Variant& variant, const std::string& clip, bool has_overlays);
  virtual ~ClipEvaluation() = default;
  ClipEvaluation(const ClipEvaluation&) = delete;
  ClipEvaluation& operator=(const ClipEvaluation&) = delete;

  /// `name`: the frame's, for the files that are written.
  virtual void first(const std::string& name, const data::Image& frame) = 0;
  virtual void next(const std::string& name,
                    const data::Image& frame,
                    const at::Tensor& features) = 0;

  /// After the last frame: the clip's record (see Benchmark::evaluate()). The seconds are those of
  /// all variants together.
  Json finish(std::int64_t frames, double features_seconds, double reading_seconds);

  void note(const std::string& line) { notes_.push_back(line); }  ///< for the user

 protected:
  const std::string& out() const { return out_; }
  const std::string& clip() const { return clip_; }
  /// None if no overlays are asked for.
  std::optional<OverlayFiles>& overlays() { return overlays_; }

 private:
  virtual Json score() = 0;  ///< an object with all that the tables are made of
  /// Spent by first() and next(); finish() adds features, reading and scoring.
  virtual ClipSeconds seconds() const = 0;

  std::string out_, clip_;
  std::optional<OverlayFiles> overlays_;
  std::vector<std::string> notes_;
};

}  // namespace stc::eval
