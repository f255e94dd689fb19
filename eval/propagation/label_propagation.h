// Labels follow features from frame to frame (docs/evaluation.md): a windowed search over a ring of
// past frames.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "eval/propagation/window_search.h"

namespace stc::eval {

enum class WindowShape {
  kSquare,  ///< rows and columns at most half_window away
  kCircle,  ///< cells closer than half_window (Euclidean)
};

/// How often the first frame is searched while it is also one of the preceding ones.
enum class FirstFrame {
  kReference,  ///< twice, so that each of its cells can vote twice (the rule behind published
               ///< numbers)
  kDistinct,   ///< once
  kPadded,     ///< preceding frames that are not there yet are the first one, too (CRW)
};

struct PropagationOptions {
  WindowShape window = WindowShape::kSquare;
  std::int64_t half_window = 12;   ///< cells
  bool window_first_frame = true;  ///< false: all of the first frame is searched
  std::int64_t preceding = 20;  ///< frames before the target that are searched, besides the first
  std::int64_t top_k = 10;      ///< best cells, over all frames together, that vote
  double temperature = 0.07;    ///< of the softmax over them
  FirstFrame first_frame = FirstFrame::kReference;
  bool hard_labels = false;  ///< the best label of each cell becomes 1, the others 0

  void check() const;  ///< throws stc::Error (kUsage) naming the rule
};

/// One clip. Frames are passed one by one; memory is that of preceding + 2 frames. Computes on the
/// features' device; on the CPU the result does not depend on the number of threads.
class LabelPropagation {
 public:
  /// first_features [C, h, w], float32 or double; first_labels [K, h, w]: any values, one channel
  /// per label.
  LabelPropagation(const PropagationOptions& options,
                   const at::Tensor& first_features,
                   const at::Tensor& first_labels);

  /// Labels [K, h, w] of the next frame, soft, on the CPU, of the features' dtype:
  /// labels[., q] = sum over i in top(q) of softmax_i(<f_i, f_q> / temperature) * labels[., i],
  /// where f are the features over their L2 norm and top(q) are the top_k best cells within the
  /// window around q in the first and the preceding frames; ties go to the earlier frame, then
  /// cell.
  at::Tensor step(const at::Tensor& features);

 private:
  std::vector<SearchSlot> context() const;

  PropagationOptions options_;
  at::ScalarType dtype_;
  std::vector<std::int64_t> size_;  // [C, h, w]
  SearchWindow window_, first_window_;
  std::shared_ptr<const SearchFrame> first_;
  std::deque<std::shared_ptr<const SearchFrame>> preceding_;
  std::int64_t frames_ = 1;  // seen so far
};

}  // namespace stc::eval
