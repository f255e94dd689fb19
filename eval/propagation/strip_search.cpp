#include "eval/propagation/strip_search.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace stc::eval {
namespace {

constexpr std::int64_t kScoreBytes = 64 << 20;

// Rows of a frame, from `begin` up to `end`.
struct Rows {
  std::int64_t begin, end;
};

Rows reached(const Rows& strip, const SearchWindow& window, std::int64_t height) {
  const auto reach = static_cast<std::int64_t>(window.half_widths.size()) - 1;
  return {std::max<std::int64_t>(0, strip.begin - reach), std::min(height, strip.end + reach)};
}

at::Tensor distances(const Rows& from, const Rows& to, const at::TensorOptions& options) {
  return (at::arange(from.begin, from.end, options).view({-1, 1}) -
          at::arange(to.begin, to.end, options))
      .abs();
}

// [queries of the strip, cells of the key rows]: true outside the query's window.
at::Tensor beyond_window(const Rows& strip,
                         const Rows& keys,
                         const SearchWindow& window,
                         std::int64_t width,
                         const at::Device& device) {
  const auto options = at::TensorOptions(at::kLong).device(device);
  const auto dy = distances(strip, keys, options);
  const auto dx = distances({0, width}, {0, width}, options);
  const auto reach = static_cast<std::int64_t>(window.half_widths.size()) - 1;
  const auto half_widths = at::tensor(window.half_widths, options);
  const auto half = half_widths.index_select(0, dy.clamp_max(reach).flatten())
                        .view(dy.sizes())
                        .masked_fill(dy > reach, -1);
  // [query row, query column, key row, key column]
  return (dx.view({1, width, 1, width}) > half.view({dy.size(0), 1, dy.size(1), 1}))
      .reshape({dy.size(0) * width, dy.size(1) * width});
}

at::Tensor cells(const at::Tensor& features, const Rows& rows) {
  return features.slice(1, rows.begin, rows.end).flatten(1);  // [C, cells]
}

// The best votes of a strip's queries: [queries, votes] each.
struct Votes {
  at::Tensor scores;
  at::Tensor cells;  // counted over all slots
};

Votes best_of(const Votes& votes, std::int64_t top_k) {
  const auto count = std::min(top_k, votes.scores.size(1));
  const auto [scores, places] = votes.scores.topk(count, 1);
  return {scores, votes.cells.gather(1, places)};
}

Votes search_strip(const at::Tensor& queries,
                   const std::vector<SearchSlot>& slots,
                   const Rows& strip,
                   std::int64_t top_k) {
  const auto height = queries.size(1), width = queries.size(2);
  const auto rows = cells(queries, strip).t();
  const SearchWindow* window = nullptr;
  at::Tensor beyond;
  Votes best;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto keys = reached(strip, *slots[i].window, height);
    if (slots[i].window != window) {
      window = slots[i].window;
      beyond = beyond_window(strip, keys, *window, width, queries.device());
    }
    const auto scores = at::matmul(rows, cells(slots[i].frame->keys, keys));
    scores.masked_fill_(beyond, -std::numeric_limits<double>::infinity());
    const auto first = static_cast<std::int64_t>(i) * height * width + keys.begin * width;
    const auto [top, places] = scores.topk(std::min(top_k, scores.size(1)), 1);
    const Votes found{top, places + first};
    best = i == 0 ? found
                  : best_of({at::cat({best.scores, found.scores}, 1),
                             at::cat({best.cells, found.cells}, 1)},
                            top_k);
  }
  return best;
}

}  // namespace

std::int64_t strip_rows(const at::Tensor& queries) {
  const auto height = queries.size(1), width = queries.size(2);
  const auto row_bytes = width * height * width * static_cast<std::int64_t>(queries.element_size());
  return std::max<std::int64_t>(1, kScoreBytes / row_bytes);
}

at::Tensor search_strips(const at::Tensor& queries,
                         const std::vector<SearchSlot>& slots,
                         const SearchOptions& options,
                         std::int64_t rows) {
  std::vector<at::Tensor> of_slots, strips;
  for (const auto& slot : slots) of_slots.push_back(slot.frame->labels);
  const auto labels = at::cat(of_slots);  // [slots * h * w, K]
  const auto height = queries.size(1);
  for (std::int64_t row = 0; row < height; row += rows) {
    const auto best =
        search_strip(queries, slots, {row, std::min(height, row + rows)}, options.top_k);
    // A vote without a cell has the score -infinity, and so no weight.
    const auto weights = (best.scores / options.temperature).softmax(1);
    const auto voted = labels.index_select(0, best.cells.flatten())
                           .view({best.cells.size(0), best.cells.size(1), labels.size(1)});
    strips.push_back(at::bmm(weights.unsqueeze(1), voted).squeeze(1));
  }
  return at::cat(strips);
}

}  // namespace stc::eval
