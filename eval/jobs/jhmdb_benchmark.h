// JHMDB: propagates the first frame's key points through each clip, writes where they are found,
// scores them.
#pragma once

#include <vector>

#include "data/benchmarks/jhmdb.h"
#include "eval/jobs/benchmark.h"

namespace stc::eval {

/// Writes OUT/CLASS/CLIP.csv (key_point_files.h), the first frame included.
class JhmdbBenchmark : public Benchmark {
 public:
  JhmdbBenchmark(const models::ResNet& trunk,
                 std::vector<data::JhmdbClip> clips,
                 const BenchmarkOptions& options,
                 std::vector<Variant> variants)
      : Benchmark(trunk, clips, options, std::move(variants)), jhmdb_clips_(std::move(clips)) {}

 private:
  StartClip open_clip(std::size_t index) const override;
  ScoreTables tables_of(const std::vector<ClipRecord>& records) const override;

  std::vector<data::JhmdbClip> jhmdb_clips_;
};

}  // namespace stc::eval
