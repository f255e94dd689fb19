// VIP: propagates the first frame's parts through each sequence, writes the masks, scores them.
#pragma once

#include <vector>

#include "data/benchmarks/vip.h"
#include "eval/jobs/benchmark.h"

namespace stc::eval {

/// Writes OUT/SEQ/FRAME.png for each frame, the first included, in the frame's own size.
class VipBenchmark : public Benchmark {
 public:
  VipBenchmark(const models::ResNet& trunk,
               std::vector<data::VipSequence> sequences,
               const BenchmarkOptions& options,
               std::vector<Variant> variants)
      : Benchmark(trunk, sequences, options, std::move(variants)),
        sequences_(std::move(sequences)) {}

 private:
  StartClip open_clip(std::size_t index) const override;
  ScoreTables tables_of(const std::vector<ClipRecord>& records) const override;

  std::vector<data::VipSequence> sequences_;
};

}  // namespace stc::eval
