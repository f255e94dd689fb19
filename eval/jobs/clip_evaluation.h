// The evaluation of one clip by one variant: frame after frame in, a record out.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/benchmarks/sequence_files.h"
#include "data/images/image.h"
#include "eval/drawing/overlay.h"
#include "eval/propagation/video_propagation.h"
#include "eval/scores/score_tables.h"

namespace stc::eval {

/// One way to propagate labels, and the folder of its masks and tables. Variants of one benchmark
/// share the features of each frame.
struct Variant {
  VideoOptions video;
  std::string out;
};

struct ClipStart {
  const Variant& variant;
  const data::Image& frame;  ///< the first one
  const FrameFeatures& features;
  bool has_overlays;
};

/// Where the time of one clip went, apart from its features.
struct ClipSeconds {
  double propagation = 0;  ///< the search and the vote
  double masks = 0;        ///< soft labels to what is scored
  double files = 0;        ///< reading frames, writing masks
};

class ClipEvaluation {
 public:
  ClipEvaluation(const ClipStart& start, const std::string& clip);
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
  /// None if no overlays are asked for.
  std::optional<OverlayFiles>& overlays() { return overlays_; }

 private:
  virtual Json score() = 0;  ///< an object with all that the tables are made of
  /// Spent by first() and next(); finish() adds features, reading and scoring.
  virtual ClipSeconds seconds() const = 0;

  std::string out_;
  std::optional<OverlayFiles> overlays_;
  std::vector<std::string> notes_;
};

/// A clip of DAVIS or VIP: masks go to OUT/SEQ/FRAME.png, named as the images are.
class MaskEvaluation : public ClipEvaluation {
 public:
  /// What score() returns, once the masks are written; it may add notes.
  using Score = std::function<Json(ClipEvaluation& evaluation)>;
  using ReadLabels = data::LabelMap (*)(const std::string& path);

  /// `labels` are those of the first frame. read() is for the truth that overlays show.
  MaskEvaluation(const ClipStart& start,
                 const data::AnnotatedSequence& sequence,
                 const data::LabelMap& labels,
                 ReadLabels read,
                 Score score);

  void first(const std::string& name, const data::Image& frame) override;
  void next(const std::string& name, const data::Image& frame, const at::Tensor& features) override;

  /// Labels of the first frame that its map at feature size no longer shows.
  const std::vector<int>& lost_labels() const { return propagation_.lost_objects(); }

 private:
  Json score() override { return score_(*this); }
  ClipSeconds seconds() const override;
  void write(const std::string& name, const data::Image& frame, const data::LabelMap& mask);

  const data::AnnotatedSequence& sequence_;
  VideoPropagation propagation_;
  ReadLabels read_;
  Score score_;
  StageTimer files_;
};

/// The annotation of the frame of that name, if it has one.
std::optional<std::string> find_annotation(const data::AnnotatedSequence& sequence,
                                           const std::string& frame);

}  // namespace stc::eval
