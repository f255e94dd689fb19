// JHMDB: propagates the first frame's key points through each clip, writes where they are found,
// scores them.
#pragma once

#include <string>
#include <vector>

#include "data/benchmarks/jhmdb.h"
#include "eval/jobs/benchmark.h"
#include "eval/propagation/frame_features.h"
#include "models/resnet.h"

namespace stc::eval {

struct JhmdbBenchmarkOptions {
  InputOptions input;
  bool overlays = false;  ///< also OUT/overlays/CLASS/CLIP/FRAME.jpg, CLIP.mp4
};

/// Writes OUT/CLASS/CLIP.csv (key_point_files.h), the first frame included; then results.csv and
/// per-clip.csv. Frames are read one at a time.
class JhmdbBenchmark : public Benchmark {
 public:
  /// `trunk` outlives this; the clips have images.
  JhmdbBenchmark(const models::ResNet& trunk,
                 std::vector<data::JhmdbClip> clips,
                 const JhmdbBenchmarkOptions& options,
                 std::vector<Variant> variants);

  std::string name() const override { return "jhmdb"; }
  const std::vector<Variant>& variants() const override { return variants_; }
  std::vector<Clip> clips() const override;
  std::vector<Json> evaluate(std::size_t index, const OnFrame& on_frame) const override;
  Summary summarise(const std::string& out, const std::vector<Json>& records) const override;

 private:
  const models::ResNet& trunk_;
  std::vector<data::JhmdbClip> clips_;
  JhmdbBenchmarkOptions options_;
  std::vector<Variant> variants_;
};

}  // namespace stc::eval
