// DAVIS: propagates the first frame's masks through each sequence, writes the masks, scores them.
#pragma once

#include <vector>

#include "data/benchmarks/davis.h"
#include "eval/jobs/benchmark.h"

namespace stc::eval {

/// Writes OUT/SEQ/FRAME.png for each frame, the first included, in the frame's own size.
class DavisBenchmark : public Benchmark {
 public:
  DavisBenchmark(const models::ResNet& trunk,
                 std::vector<data::DavisSequence> sequences,
                 const BenchmarkOptions& options,
                 std::vector<Variant> variants)
      : Benchmark(trunk, sequences, options, std::move(variants)),
        sequences_(std::move(sequences)) {}

 private:
  StartClip open_clip(std::size_t index) const override;
  ScoreTables tables_of(const std::vector<ClipRecord>& records) const override;

  std::vector<data::DavisSequence> sequences_;
};

}  // namespace stc::eval
