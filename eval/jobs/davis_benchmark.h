// DAVIS: propagates the first frame's masks through each sequence, writes the masks, scores them.
#pragma once

#include <string>
#include <vector>

#include "data/benchmarks/davis.h"
#include "eval/jobs/benchmark.h"
#include "eval/propagation/frame_features.h"
#include "models/resnet.h"

namespace stc::eval {

struct DavisBenchmarkOptions {
  InputOptions input;
  bool overlays = false;  ///< also OUT/overlays/SEQ/FRAME.jpg, SEQ.mp4
};

/// Writes OUT/SEQ/FRAME.png for each frame, the first included, of the frame's own size; then
/// global_results.csv, per-sequence_results.csv, results.csv and per-frame.csv. Frames are read one
/// at a time.
class DavisBenchmark : public Benchmark {
 public:
  /// `trunk` outlives this.
  DavisBenchmark(const models::ResNet& trunk,
                 std::vector<data::DavisSequence> sequences,
                 const DavisBenchmarkOptions& options,
                 std::vector<Variant> variants);

  std::string name() const override { return "davis"; }
  const std::vector<Variant>& variants() const override { return variants_; }
  std::vector<Clip> clips() const override;
  std::vector<Json> evaluate(std::size_t index, const OnFrame& on_frame) const override;
  Summary summarise(const std::string& out, const std::vector<Json>& records) const override;

 private:
  const models::ResNet& trunk_;
  std::vector<data::DavisSequence> sequences_;
  DavisBenchmarkOptions options_;
  std::vector<Variant> variants_;
};

}  // namespace stc::eval
