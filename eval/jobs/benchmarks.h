// DAVIS, JHMDB and VIP: the first frame's labels are propagated through each clip, written to files
// and scored.
#pragma once

#include <vector>

#include "data/benchmarks/davis.h"
#include "data/benchmarks/jhmdb.h"
#include "data/benchmarks/vip.h"
#include "eval/jobs/benchmark.h"

namespace stc::eval {

/// Writes OUT/SEQ/FRAME.png for each frame, the first included, in the frame's own size.
Benchmark davis_benchmark(std::vector<data::DavisSequence> sequences, BenchmarkSetup setup);

/// Writes OUT/CLASS/CLIP.csv (prediction_files.h), the first frame included.
Benchmark jhmdb_benchmark(std::vector<data::JhmdbClip> clips, BenchmarkSetup setup);

/// Writes OUT/SEQ/FRAME.png for each frame, the first included, in the frame's own size.
Benchmark vip_benchmark(std::vector<data::VipSequence> sequences, BenchmarkSetup setup);

}  // namespace stc::eval
