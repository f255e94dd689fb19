// Clips scored several at a time, and those with bad data left out on request.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "monitoring/check.h"

namespace stc::eval {

/// Indices of `lengths`, the longest first: the last clip to start decides when the work ends, so
/// it should be a short one.
std::vector<std::size_t> longest_first(const std::vector<std::int64_t>& lengths);

struct ClipScoring {
  int threads = 1;  ///< clips scored at once; 0: one per core
  bool keep_going = false;
};

/// Calls score(i) for each clip i. With `keep_going` returns what is wrong with the clips that have
/// bad data; otherwise throws the first error in the order of clips, so that the same data gives
/// the same message.
std::vector<std::string> for_each_clip(const std::vector<std::int64_t>& lengths,
                                       const ClipScoring& scoring,
                                       const std::function<void(std::size_t)>& score);

template <typename Score>
struct ClipScores {
  std::vector<Score> scores;          ///< in the order of clips
  std::vector<std::string> failures;  ///< what is wrong with the clips that were left out
};

/// The score of each clip of a data set (data/benchmarks).
template <typename Clip, typename ScoreClip>
auto score_clips(const std::vector<Clip>& clips,
                 const ScoreClip& score_clip,
                 const ClipScoring& scoring) {
  using Score = std::invoke_result_t<ScoreClip, const Clip&>;
  std::vector<std::int64_t> lengths;
  for (const auto& clip : clips) {
    if constexpr (requires { clip.annotations; }) {
      lengths.push_back(static_cast<std::int64_t>(clip.annotations.size()));
    } else {
      lengths.push_back(static_cast<std::int64_t>(clip.images.size()));
    }
  }
  std::vector<std::optional<Score>> found(clips.size());
  ClipScores<Score> result;
  result.failures = for_each_clip(lengths, scoring, [&](std::size_t i) {
    STC_CHECK_DATA(clips[i].fault.empty(), "{}", clips[i].fault);
    found[i] = score_clip(clips[i]);
  });
  for (auto& score : found)
    if (score) result.scores.push_back(std::move(*score));
  return result;
}

}  // namespace stc::eval
