// A benchmark: clips whose labels are propagated and scored one by one, each leaving a record, and
// tables made of all records. What depends on the data set are two hooks.
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

struct BenchmarkOptions {
  InputOptions input;
  bool overlays = false;  ///< also OUT/overlays/CLIP/FRAME.jpg, CLIP.mp4
};

struct ClipRecord {
  const std::string& clip;
  const Json& record;
};

class Benchmark {
 public:
  virtual ~Benchmark() = default;
  Benchmark(const Benchmark&) = delete;
  Benchmark& operator=(const Benchmark&) = delete;

  const std::vector<Variant>& variants() const { return variants_; }
  const std::vector<Clip>& clips() const { return clips_; }  ///< in the order of the tables

  /// Propagates clip `index` by every variant, writes the results below the variants' folders and
  /// scores them. Frames are read one at a time, and their features computed once for all variants.
  /// Returns a record per variant: an object that holds all that tables are made of, and "frames",
  /// "seconds" (features and those of ClipSeconds) and "notes" (lines for the user). Throws
  /// stc::Error (kBadData) naming the file.
  std::vector<Json> evaluate(std::size_t index, const OnFrame& on_frame) const;

  /// Tables of all records, in the order of clips(), null if a clip has none; written into `out`.
  ScoreTables summarise(const std::string& out, const std::vector<Json>& records) const;

 protected:
  /// Begins a clip for one variant; `first` is the first frame.
  using StartClip = std::function<std::unique_ptr<ClipEvaluation>(
      const Variant& variant, const data::Image& first, const FrameFeatures& features)>;

  /// `trunk` outlives this; `clips` are those of a data set (data/benchmarks), with their images.
  template <typename DataSetClip>
  Benchmark(const models::ResNet& trunk,
            const std::vector<DataSetClip>& clips,
            const BenchmarkOptions& options,
            std::vector<Variant> variants)
      : trunk_(trunk), options_(options), variants_(std::move(variants)) {
    for (const auto& clip : clips) clips_.push_back({clip.name, clip.images, clip.fault});
  }

  bool has_overlays() const { return options_.overlays; }

 private:
  /// Reads the labels of clip `index`, before any frame is read.
  virtual StartClip open_clip(std::size_t index) const = 0;
  virtual ScoreTables tables_of(const std::vector<ClipRecord>& records) const = 0;

  const models::ResNet& trunk_;
  std::vector<Clip> clips_;
  BenchmarkOptions options_;
  std::vector<Variant> variants_;
};

}  // namespace stc::eval
