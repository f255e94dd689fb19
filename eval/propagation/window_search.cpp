#include "eval/propagation/window_search.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "eval/propagation/affinity_tile.h"
#include "eval/propagation/strip_search.h"

namespace stc::eval {
namespace {

// Queries that one thread searches together: a patch of kPatchRows rows, and of columns until their
// features fill kPatchBytes, so that they stay in the second-level cache while the keys pass by.
constexpr std::int64_t kPatchRows = 8;
constexpr std::int64_t kPatchBytes = 256 << 10;

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

template <typename T>
struct Vote {
  T score;
  std::int32_t slot;
  std::int32_t cell;
};

// The best votes of one query, best first. Among equal scores the earlier one stays ahead.
template <typename T>
class BestVotes {
 public:
  BestVotes(Vote<T>* votes, std::int64_t capacity) : votes_(votes), capacity_(capacity) {}

  /// A score must be above this to be inserted.
  T bar() const {
    return count_ < capacity_ ? -std::numeric_limits<T>::infinity() : votes_[count_ - 1].score;
  }
  void insert(const Vote<T>& vote) {
    std::int64_t place = count_ < capacity_ ? count_++ : count_ - 1;
    for (; place > 0 && votes_[place - 1].score < vote.score; --place)
      votes_[place] = votes_[place - 1];
    votes_[place] = vote;
  }
  const Vote<T>* begin() const { return votes_; }
  const Vote<T>* end() const { return votes_ + count_; }

 private:
  Vote<T>* votes_;
  std::int64_t capacity_;
  std::int64_t count_ = 0;
};

template <typename T>
struct Slot {
  const T* panels;
  const T* labels;
  const SearchWindow* window;
};

template <typename T>
struct Search {
  std::vector<Slot<T>> slots;
  const T* queries;  // panels, after `left_cells` empty cells in each row
  T* result;         // [h * w, K]
  std::int64_t channels, height, width, classes;
  std::int64_t left_cells;                // empty ones before each row of queries
  std::int64_t query_panels, key_panels;  // per row
  std::int64_t top_k;
  T temperature;
};

struct Patch {
  std::int64_t first_row, end_row;
  std::int64_t first_panel, end_panel;
};

// The search for the queries of one patch.
template <typename T>
class PatchSearch {
 public:
  PatchSearch(const Search<T>& search, const Patch& patch)
      : s_(search),
        patch_(patch),
        score_stride_(search.key_panels * kPanel),
        scores_(kPanel * score_stride_) {
    const auto queries =
        (patch.end_row - patch.first_row) * (patch.end_panel - patch.first_panel) * kPanel;
    votes_.resize(queries * search.top_k);
    for (std::int64_t q = 0; q < queries; ++q) {
      best_.emplace_back(votes_.data() + q * search.top_k, search.top_k);
      // Empty cells beside the frame search nothing.
      bars_.push_back(is_in_frame(column_of(q)) ? best_[q].bar() : kInfinity);
    }
  }

  void search_slot(std::int32_t slot) {
    const auto& slots = s_.slots;
    const bool is_repeated = slot > 0 && slots[slot].panels == slots[slot - 1].panels &&
                             slots[slot].window == slots[slot - 1].window;
    is_repeated ? repeat_votes(slot) : scan_frame(slot);
  }

  void vote() const {
    for (std::int64_t q = 0; q < static_cast<std::int64_t>(best_.size()); ++q)
      if (is_in_frame(column_of(q)))
        sum_votes(best_[q], s_.result + (row_of(q) * s_.width + column_of(q)) * s_.classes);
  }

 private:
  static constexpr T kInfinity = std::numeric_limits<T>::infinity();

  // Queries of a patch are numbered row by row.
  std::int64_t columns() const { return (patch_.end_panel - patch_.first_panel) * kPanel; }
  std::int64_t row_of(std::int64_t query) const { return patch_.first_row + query / columns(); }
  std::int64_t column_of(std::int64_t query) const {
    return patch_.first_panel * kPanel - s_.left_cells + query % columns();
  }
  bool is_in_frame(std::int64_t column) const { return column >= 0 && column < s_.width; }

  // The slot holds the same frame as the one before: the cells that got in then get in again.
  void repeat_votes(std::int32_t slot) {
    for (std::size_t q = 0; q < best_.size(); ++q) {
      const std::vector<Vote<T>> before(best_[q].begin(), best_[q].end());
      for (const auto& vote : before)
        if (vote.slot == slot - 1) insert(q, {vote.score, slot, vote.cell});
    }
  }

  // Key rows ascend, so that each query meets its keys in the order of their cells.
  void scan_frame(std::int32_t slot) {
    const auto reach_rows =
        static_cast<std::int64_t>(s_.slots[slot].window->half_widths.size()) - 1;
    const auto first_row = std::max<std::int64_t>(0, patch_.first_row - reach_rows);
    const auto end_row = std::min(s_.height, patch_.end_row + reach_rows);
    for (auto key_row = first_row; key_row < end_row; ++key_row)
      for (auto panel = patch_.first_panel; panel < patch_.end_panel; ++panel)
        for (auto row = patch_.first_row; row < patch_.end_row; ++row)
          if (std::abs(row - key_row) <= reach_rows) scan_row(slot, key_row, row, panel);
  }

  void scan_row(std::int32_t slot, std::int64_t key_row, std::int64_t row, std::int64_t panel) {
    const auto half_cells = s_.slots[slot].window->half_widths[std::abs(row - key_row)];
    const auto query = (row - patch_.first_row) * columns() + (panel - patch_.first_panel) * kPanel;
    const auto left_cell = std::max<std::int64_t>(0, column_of(query)),
               right_cell = std::min(s_.width, column_of(query) + kPanel);
    const auto first_panel = std::max<std::int64_t>(0, left_cell - half_cells) / kPanel,
               end_panel = (std::min(s_.width, right_cell + half_cells) + kPanel - 1) / kPanel;
    const auto panel_size = s_.channels * kPanel;
    tile_.product(s_.queries + (row * s_.query_panels + panel) * panel_size,
                  s_.slots[slot].panels + (key_row * s_.key_panels + first_panel) * panel_size,
                  s_.channels,
                  end_panel - first_panel,
                  scores_.data(),
                  score_stride_);
    auto hits =
        tile_.above(scores_.data(), score_stride_, end_panel - first_panel, bars_.data() + query);
    for (; hits != 0; hits &= hits - 1) {
      const auto q = std::countr_zero(hits);
      const auto column = column_of(query + q);
      const auto from = std::max<std::int64_t>(0, column - half_cells),
                 to = std::min(s_.width, column + half_cells + 1);
      const T* scores = scores_.data() + q * score_stride_ - first_panel * kPanel;
      for (auto x = from; x < to; ++x)
        insert(query + q, {scores[x], slot, static_cast<std::int32_t>(key_row * s_.width + x)});
    }
  }

  void insert(std::int64_t query, const Vote<T>& vote) {
    if (!(vote.score > bars_[query])) return;
    best_[query].insert(vote);
    bars_[query] = best_[query].bar();
  }

  void sum_votes(const BestVotes<T>& best, T* result) const {
    T sum = 0;
    for (const auto& vote : best) sum += weight(vote, best);
    std::fill_n(result, s_.classes, T(0));
    for (const auto& vote : best) {
      const T share = weight(vote, best) / sum;
      const T* labels = s_.slots[vote.slot].labels + vote.cell * s_.classes;
      for (std::int64_t k = 0; k < s_.classes; ++k) result[k] += share * labels[k];
    }
  }

  T weight(const Vote<T>& vote, const BestVotes<T>& best) const {
    return std::exp((vote.score - best.begin()->score) / s_.temperature);
  }

  const AffinityTile<T> tile_ = affinity_tile<T>();
  const Search<T>& s_;
  Patch patch_;
  std::int64_t score_stride_;
  std::vector<T> scores_;  // of one panel of queries against a part of a row of keys
  std::vector<Vote<T>> votes_;
  std::vector<BestVotes<T>> best_;  // one per query, each over its part of votes_
  std::vector<T> bars_;             // what a score must be above to get in
};

template <typename T>
std::vector<Patch> patches_of(const Search<T>& s) {
  const std::int64_t panel_bytes = kPatchRows * s.channels * kPanel * sizeof(T);
  const auto columns = std::max<std::int64_t>(1, kPatchBytes / panel_bytes);
  std::vector<Patch> patches;
  for (std::int64_t row = 0; row < s.height; row += kPatchRows)
    for (std::int64_t panel = 0; panel < s.query_panels; panel += columns)
      patches.push_back({row,
                         std::min(s.height, row + kPatchRows),
                         panel,
                         std::min(s.query_panels, panel + columns)});
  return patches;
}

// Frame by frame, so that the patches find the keys that they share in the last-level cache.
template <typename T>
void run_search(const Search<T>& search) {
  const auto patches = patches_of(search);
  std::vector<PatchSearch<T>> searches;
  searches.reserve(patches.size());
  for (const auto& patch : patches) searches.emplace_back(search, patch);
  const auto for_each_patch = [&](const auto& work) {
    at::parallel_for(0, searches.size(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) work(searches[i]);
    });
  };
  for (std::size_t slot = 0; slot < search.slots.size(); ++slot)
    for_each_patch([&](auto& patch) { patch.search_slot(static_cast<std::int32_t>(slot)); });
  for_each_patch([](const auto& patch) { patch.vote(); });
}

// How many empty cells the queries need on their left so that the keys of a panel of queries begin
// where a panel of keys begins.
std::int64_t aligning_cells(const SearchWindow& window) {
  return round_up(window.half_widths[0], kPanel) - window.half_widths[0];
}

std::int64_t cells_in(const std::vector<SearchSlot>& slots,
                      std::int64_t height,
                      std::int64_t width) {
  std::int64_t cells = 0;
  for (const auto& slot : slots) {
    const auto side = 2 * static_cast<std::int64_t>(slot.window->half_widths.size()) - 1;
    cells += std::min(side, height) * std::min(2 * slot.window->half_widths[0] + 1, width);
  }
  return cells;
}

// [C, h, w] -> [h, panels, C, kPanel]: each row after `left_cells` empty cells, filled up with
// empty cells.
at::Tensor pack_panels(const at::Tensor& features, std::int64_t left_cells = 0) {
  const auto channels = features.size(0), height = features.size(1), width = features.size(2);
  const auto cells = round_up(left_cells + width, kPanel);
  const auto rows = at::constant_pad_nd(features, {left_cells, cells - left_cells - width});
  return rows.view({channels, height, cells / kPanel, kPanel}).permute({1, 2, 0, 3}).contiguous();
}

// The search by our own kernel, on the CPU.
at::Tensor search_panels(const at::Tensor& queries,
                         const std::vector<SearchSlot>& slots,
                         const SearchOptions& options) {
  const auto left_cells = aligning_cells(*slots.back().window);
  const auto panels = pack_panels(queries, left_cells);
  auto labels = at::empty_like(slots.front().frame->labels);
  AT_DISPATCH_FLOATING_TYPES(queries.scalar_type(), "search_labels", [&] {
    Search<scalar_t> search;
    for (const auto& slot : slots)
      search.slots.push_back({slot.frame->keys.const_data_ptr<scalar_t>(),
                              slot.frame->labels.const_data_ptr<scalar_t>(),
                              slot.window});
    search.queries = panels.const_data_ptr<scalar_t>();
    search.result = labels.mutable_data_ptr<scalar_t>();
    search.channels = queries.size(0);
    search.height = queries.size(1);
    search.width = queries.size(2);
    search.classes = labels.size(1);
    search.left_cells = left_cells;
    search.query_panels = panels.size(1);
    search.key_panels = slots.front().frame->keys.size(1);
    search.top_k = std::min(options.top_k, cells_in(slots, search.height, search.width));
    search.temperature = static_cast<scalar_t>(options.temperature);
    run_search(search);
  });
  return labels;
}

}  // namespace

SearchWindow square_window(std::int64_t half) {
  return {std::vector<std::int64_t>(half + 1, half)};
}

SearchWindow circle_window(std::int64_t half) {
  SearchWindow window;
  for (std::int64_t dy = 0, dx = half; dy < half; ++dy) {
    while (dx * dx + dy * dy >= half * half) --dx;
    window.half_widths.push_back(dx);
  }
  return window;
}

SearchWindow whole_frame(std::int64_t height, std::int64_t width) {
  return {std::vector<std::int64_t>(height, width)};
}

at::Tensor unit_features(const at::Tensor& features) {
  const auto source = features.detach();
  return source / source.norm(2, {0}, true).clamp_min(1e-12);
}

SearchFrame make_search_frame(const at::Tensor& unit, const at::Tensor& labels) {
  return {unit.is_cpu() ? pack_panels(unit) : unit, labels};
}

at::Tensor search_labels(const at::Tensor& queries,
                         const std::vector<SearchSlot>& slots,
                         const SearchOptions& options) {
  if (queries.is_cpu()) return search_panels(queries, slots, options);
  return search_strips(queries, slots, options, strip_rows(queries));
}

}  // namespace stc::eval
