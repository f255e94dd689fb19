// A benchmark: clips whose labels are propagated and scored one by one, each leaving a record, and
// tables made of all records. What depends on the data set are two hooks (benchmarks.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "eval/jobs/clip_evaluation.h"
#include "eval/propagation/frame_features.h"
#include "eval/scores/score_tables.h"
#include "models/resnet.h"

namespace stc::eval {

struct Clip {
  std::string name;                 ///< a relative path if the benchmark has folders of clips
  std::vector<std::string> images;  ///< full paths
  std::string fault;                ///< what is wrong with its files
  std::int64_t frames() const { return static_cast<std::int64_t>(images.size()); }
};

/// Called after each frame of `clip`, 1-based.
using OnFrame =
    std::function<void(const std::string& clip, std::int64_t frame, std::int64_t frames)>;

struct BenchmarkSetup {
  const models::ResNet& trunk;  ///< outlives the benchmark
  std::vector<Variant> variants;
  InputOptions input;
  bool overlays = false;  ///< also OUT/overlays/CLIP/FRAME.jpg, CLIP.mp4
};

struct ClipRecord {
  const std::string& clip;
  const Json& record;
};

/// Begins a clip for one variant.
using StartClip = std::function<std::unique_ptr<ClipEvaluation>(const ClipStart& start)>;

class Benchmark {
 public:
  /// `clips` are those of a data set (data/benchmarks), with their images. open_clip() reads the
  /// labels of a clip, before any frame is read.
  template <typename DataSetClip>
  Benchmark(std::vector<DataSetClip> clips,
            BenchmarkSetup setup,
            StartClip (*open_clip)(const DataSetClip& clip),
            ScoreTables (*tables_of)(const std::vector<ClipRecord>& records))
      : setup_(std::move(setup)), tables_of_(tables_of) {
    for (const auto& clip : clips) clips_.push_back({clip.name, clip.images, clip.fault});
    open_clip_ = [clips = std::move(clips), open_clip](std::size_t index) {
      return open_clip(clips.at(index));
    };
  }

  const std::vector<Variant>& variants() const { return setup_.variants; }
  const std::vector<Clip>& clips() const { return clips_; }  ///< in the order of the tables

  /// Propagates clip `index` by every variant, writes the results below the variants' folders and
  /// scores them. Frames are read one at a time, and their features computed once for all variants.
  /// Returns a record per variant: an object that holds all that tables are made of, and "frames",
  /// "seconds" (features and those of ClipSeconds) and "notes" (lines for the user). Throws
  /// stc::Error (kBadData) naming the file.
  std::vector<Json> evaluate(std::size_t index, const OnFrame& on_frame) const;

  /// Tables of all records, in the order of clips(), null if a clip has none; written into `out`.
  ScoreTables summarise(const std::string& out, const std::vector<Json>& records) const;

 private:
  std::vector<Clip> clips_;
  BenchmarkSetup setup_;
  std::function<StartClip(std::size_t index)> open_clip_;
  ScoreTables (*tables_of_)(const std::vector<ClipRecord>& records);
};

}  // namespace stc::eval
