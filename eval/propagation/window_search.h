// The search of label propagation: each cell of a frame looks for the most similar cells of other
// frames, within a window, and takes the mean of their labels.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace stc::eval {

/// Cells that a query may look at, by how far their row is from its own: half_widths[d] columns to
/// each side, d rows above and below; further rows not at all.
struct SearchWindow {
  std::vector<std::int64_t> half_widths;
};
SearchWindow square_window(std::int64_t half);  ///< 2 * half + 1 cells to a side
SearchWindow circle_window(std::int64_t half);  ///< closer than `half` cells (Euclidean); half >= 1
SearchWindow whole_frame(std::int64_t height, std::int64_t width);

/// A frame that is searched.
struct SearchFrame {
  at::Tensor keys;    ///< unit features: on the CPU in panels, elsewhere [C, h, w]
  at::Tensor labels;  ///< [h * w, K], of the features' dtype and device
};

struct SearchSlot {
  const SearchFrame* frame;
  const SearchWindow* window;
};

/// Each cell of [C, h, w] divided by its L2 norm over the channels.
at::Tensor unit_features(const at::Tensor& features);

/// unit: unit_features(), float or double; labels [h * w, K].
SearchFrame make_search_frame(const at::Tensor& unit, const at::Tensor& labels);

struct SearchOptions {
  std::int64_t top_k = 10;
  double temperature = 0.07;
};

/// queries: unit features [C, h, w]. Returns labels [h * w, K]: for each query the mean of the
/// labels of its top_k best cells over all slots (ties: the earlier slot, then cell; on a GPU any),
/// weighted by the softmax of their products over the temperature. On the CPU by a kernel of our
/// own, with memory for the votes alone; elsewhere by strips (strip_search.h).
at::Tensor search_labels(const at::Tensor& queries,
                         const std::vector<SearchSlot>& slots,
                         const SearchOptions& options);

}  // namespace stc::eval
