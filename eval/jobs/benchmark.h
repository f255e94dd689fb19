// What the benchmarks have in common: clips that are propagated and scored one by one, each leaving
// a record, and tables that are made of all records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/propagation/video_propagation.h"

namespace stc::eval {

using Json = nlohmann::ordered_json;

struct Clip {
  std::string name;  ///< a relative path where a benchmark has folders of clips
  std::int64_t frames = 0;
};

/// One way to propagate labels, and the folder that its masks and tables go to. Variants of one
/// benchmark share the features of each frame.
struct Variant {
  VideoOptions video;
  std::string out;
};

/// Called after each frame of `clip`, 1-based.
using OnFrame =
    std::function<void(const std::string& clip, std::int64_t frame, std::int64_t frames)>;

/// Where the time of one clip went.
struct ClipSeconds {
  double features = 0;     ///< resizing, Lab and the network
  double propagation = 0;  ///< the search and the vote
  double masks = 0;        ///< soft labels to what is scored
  double files = 0;        ///< reading frames, writing masks
  double scoring = 0;
  Json json() const;
};

struct Summary {
  Json numbers;            ///< for results.json: one object
  std::string table;       ///< for the terminal
  std::string score_name;  ///< of the number that ranks results: "J&F"
  double score = 0;        ///< in 0..1
};

class Benchmark {
 public:
  virtual ~Benchmark() = default;

  virtual std::string name() const = 0;  ///< "davis"
  virtual const std::vector<Variant>& variants() const = 0;
  virtual std::vector<Clip> clips() const = 0;  ///< in the order of the tables

  /// Propagates clip `index` by every variant, writes its results below their folders and scores
  /// them. Returns a record a variant: an object that holds all that summarise() needs, and
  /// "frames", "seconds" (see ClipSeconds) and "notes" (lines for the user).
  /// Throws stc::Error (kBadData) naming the file.
  virtual std::vector<Json> evaluate(std::size_t index, const OnFrame& on_frame) const = 0;

  /// Tables of all records, in the order of clips(), written into `out`.
  virtual Summary summarise(const std::string& out, const std::vector<Json>& records) const = 0;
};

}  // namespace stc::eval
