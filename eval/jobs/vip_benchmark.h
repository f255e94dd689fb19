// VIP: propagates the first frame's parts through each sequence, writes the masks, scores them.
#pragma once

#include <string>
#include <vector>

#include "data/benchmarks/vip.h"
#include "eval/jobs/benchmark.h"
#include "eval/propagation/frame_features.h"
#include "models/resnet.h"

namespace stc::eval {

struct VipBenchmarkOptions {
  InputOptions input;
  bool overlays = false;  ///< also OUT/overlays/SEQ/FRAME.jpg, SEQ.mp4
};

/// Writes OUT/SEQ/FRAME.png for each frame, the first included, of the frame's own size and named
/// as it is; then results.csv and per-sequence.csv. Frames are read one at a time.
class VipBenchmark : public Benchmark {
 public:
  /// `trunk` outlives this; the sequences have images.
  VipBenchmark(const models::ResNet& trunk,
               std::vector<data::VipSequence> sequences,
               const VipBenchmarkOptions& options,
               std::vector<Variant> variants);

  std::string name() const override { return "vip"; }
  const std::vector<Variant>& variants() const override { return variants_; }
  std::vector<Clip> clips() const override;
  std::vector<Json> evaluate(std::size_t index, const OnFrame& on_frame) const override;
  Summary summarise(const std::string& out, const std::vector<Json>& records) const override;

 private:
  const models::ResNet& trunk_;
  std::vector<data::VipSequence> sequences_;
  VipBenchmarkOptions options_;
  std::vector<Variant> variants_;
};

}  // namespace stc::eval
