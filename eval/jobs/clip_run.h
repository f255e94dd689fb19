// What the benchmarks share: frame after frame of a clip is read once, its features are computed
// once, and each variant takes them.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "eval/jobs/benchmark.h"
#include "eval/propagation/frame_features.h"
#include "models/resnet.h"

namespace stc::eval {

/// One variant on its way through a clip.
class ClipRun {
 public:
  virtual ~ClipRun() = default;

  /// `name`: the frame's, for the files that are written.
  virtual void first(const std::string& name, const data::Image& frame) = 0;
  virtual void next(const std::string& name,
                    const data::Image& frame,
                    const at::Tensor& features) = 0;
  /// After the last frame: an object with all that Benchmark::summarise() needs.
  virtual Json score() = 0;
  /// Of what the run itself does; features, reading and scoring are not in it.
  virtual ClipSeconds seconds() const = 0;

  void note(const std::string& line) { notes_.push_back(line); }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::vector<std::string> notes_;
};

using StartRun = std::function<std::unique_ptr<ClipRun>(
    const Variant& variant, const data::Image& first, const FrameFeatures& features)>;

/// Reads `images` one at a time and takes a run of each variant through them. Returns the records
/// that Benchmark::evaluate() promises.
std::vector<Json> run_clip(const models::ResNet& trunk,
                           const InputOptions& input,
                           const std::string& clip,
                           const std::vector<std::string>& images,
                           const std::vector<Variant>& variants,
                           const StartRun& start,
                           const OnFrame& on_frame);

}  // namespace stc::eval
