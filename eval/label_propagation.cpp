#include "eval/label_propagation.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/affinity_tile.h"
#include "monitoring/check.h"

namespace stc::eval {

struct LabelPropagation::Frame {
  at::Tensor features;  // [h, C, w], normalised over C; kTileSlack elements follow
  at::Tensor labels;    // [h * w, K]
};

namespace {

// Rows of queries that are searched together, so that a row of keys is fetched once for all of
// them.
constexpr std::int64_t kBlockRows = 4;

at::Tensor normalised_rows(const at::Tensor& features) {
  const auto source = features.detach().to(at::kCPU);
  const auto unit = source / source.norm(2, {0}, true).clamp_min(1e-12);
  const auto rows = unit.permute({1, 0, 2});
  const auto memory = at::zeros({unit.numel() + kTileSlack}, unit.options());
  const auto copy = memory.narrow(0, 0, unit.numel()).view(rows.sizes());
  copy.copy_(rows);
  return copy;
}

template <typename T>
struct Vote {
  T score;
  std::int32_t slot;  // in the context
  std::int32_t cell;
};

// The best votes of one query, best first. Among equal scores the earlier one stays ahead.
template <typename T>
class BestVotes {
 public:
  BestVotes(Vote<T>* votes, std::int64_t capacity) : votes_(votes), capacity_(capacity) {}

  /// A score must be above this to get in.
  T bar() const {
    return count_ < capacity_ ? -std::numeric_limits<T>::infinity() : votes_[count_ - 1].score;
  }
  void insert(const Vote<T>& vote) {
    if (!(vote.score > bar())) return;
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
struct Search {
  std::vector<const T*> features;  // of each context frame, [h, C, w]
  std::vector<const T*> labels;    // of each context frame, [h * w, K]
  const T* queries;                // [h, C, w]
  T* result;                       // [h * w, K]
  std::int64_t channels, height, width, classes;
  std::int64_t half, top_k;
  T temperature;
};

// Searches the context for the queries of a few rows. One per block and thread.
template <typename T>
class BlockSearch {
 public:
  BlockSearch(const Search<T>& search, std::int64_t first_row, std::int64_t end_row)
      : s_(search),
        first_row_(first_row),
        end_row_(end_row),
        score_stride_(search.width + tile_.keys),
        scores_(tile_.queries * score_stride_),
        votes_((end_row - first_row) * search.width * search.top_k) {
    for (std::int64_t q = 0; q < (end_row - first_row) * search.width; ++q)
      best_.emplace_back(votes_.data() + q * search.top_k, search.top_k);
  }

  void run() {
    for (std::size_t slot = 0; slot < s_.features.size(); ++slot) {
      if (slot > 0 && s_.features[slot] == s_.features[slot - 1]) {
        repeat_votes();
      } else {
        scan_frame(static_cast<std::int32_t>(slot));
      }
    }
    for (std::int64_t q = 0; q < static_cast<std::int64_t>(best_.size()); ++q)
      sum_votes(best_[q], s_.result + (first_row_ * s_.width + q) * s_.classes);
  }

 private:
  // A frame that is in the context twice in a row: its cells that would get in are those that did.
  void repeat_votes() {
    for (auto& best : best_) {
      const std::vector<Vote<T>> once(best.begin(), best.end());
      for (const auto& vote : once) best.insert({vote.score, vote.slot + 1, vote.cell});
    }
  }

  // Key rows ascend, so that each query meets its keys in the order of their cells.
  void scan_frame(std::int32_t slot) {
    const auto first = std::max<std::int64_t>(0, first_row_ - s_.half);
    const auto end = std::min(s_.height, end_row_ + s_.half);
    for (auto key_row = first; key_row < end; ++key_row) {
      for (auto row = first_row_; row < end_row_; ++row) {
        if (std::abs(row - key_row) <= s_.half) scan_row(slot, row, key_row);
      }
    }
  }

  void scan_row(std::int32_t slot, std::int64_t row, std::int64_t key_row) {
    const auto row_size = s_.channels * s_.width;
    const T* queries = s_.queries + row * row_size;
    const T* keys = s_.features[slot] + key_row * row_size;
    for (std::int64_t left = 0; left < s_.width; left += tile_.queries) {
      const auto right = std::min(s_.width, left + tile_.queries);
      const auto first = std::max<std::int64_t>(0, left - s_.half);
      const auto end = std::min(s_.width, right + s_.half);
      for (auto x = first; x < end; x += tile_.keys) {
        T* scores = scores_.data() + (x - first);
        tile_.product(queries + left, keys + x, s_.channels, s_.width, scores, score_stride_);
      }
      for (auto column = left; column < right; ++column) {
        const T* scores = scores_.data() + (column - left) * score_stride_ - first;
        keep_best({slot, row, column, key_row}, scores);
      }
    }
  }

  struct Place {
    std::int32_t slot;
    std::int64_t row, column, key_row;
  };

  void keep_best(const Place& at, const T* scores) {
    auto& best = best_[(at.row - first_row_) * s_.width + at.column];
    const auto end = std::min(s_.width, at.column + s_.half + 1);
    T bar = best.bar();
    for (auto x = std::max<std::int64_t>(0, at.column - s_.half); x < end; ++x) {
      if (!(scores[x] > bar)) continue;
      best.insert({scores[x], at.slot, static_cast<std::int32_t>(at.key_row * s_.width + x)});
      bar = best.bar();
    }
  }

  void sum_votes(const BestVotes<T>& best, T* result) {
    T sum = 0;
    for (const auto& vote : best) sum += weight(vote, best);
    std::fill_n(result, s_.classes, T(0));
    for (const auto& vote : best) {
      const T share = weight(vote, best) / sum;
      const T* labels = s_.labels[vote.slot] + vote.cell * s_.classes;
      for (std::int64_t k = 0; k < s_.classes; ++k) result[k] += share * labels[k];
    }
  }

  T weight(const Vote<T>& vote, const BestVotes<T>& best) const {
    return std::exp((vote.score - best.begin()->score) / s_.temperature);
  }

  const AffinityTile<T> tile_ = affinity_tile<T>();
  const Search<T>& s_;
  std::int64_t first_row_, end_row_;
  std::int64_t score_stride_;
  std::vector<T> scores_;  // of one tile of queries against one row of keys
  std::vector<Vote<T>> votes_;
  std::vector<BestVotes<T>> best_;  // one a query, each over its part of votes_
};

template <typename T>
void run_search(const Search<T>& search) {
  const auto blocks = (search.height + kBlockRows - 1) / kBlockRows;
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto block = begin; block < end; ++block) {
      const auto first = block * kBlockRows;
      BlockSearch<T>(search, first, std::min(search.height, first + kBlockRows)).run();
    }
  });
}

}  // namespace

void PropagationOptions::check() const {
  STC_CHECK_USAGE(half_window >= 0, "half_window is ", half_window, "; expected 0 or more");
  STC_CHECK_USAGE(preceding >= 0, "preceding is ", preceding, "; expected 0 or more");
  STC_CHECK_USAGE(top_k >= 1, "top_k is ", top_k, "; expected 1 or more");
  STC_CHECK_USAGE(temperature > 0, "temperature is ", temperature, "; expected more than 0");
}

LabelPropagation::LabelPropagation(const PropagationOptions& options,
                                   const at::Tensor& first_features,
                                   const at::Tensor& first_labels)
    : options_(options) {
  options.check();
  STC_CHECK(first_features.dim() == 3 && first_labels.dim() == 3 &&
                first_features.size(1) == first_labels.size(1) &&
                first_features.size(2) == first_labels.size(2) && first_labels.numel() > 0,
            "label propagation: features are ",
            first_features.sizes(),
            ", labels ",
            first_labels.sizes(),
            "; expected [C, h, w] and [K, h, w] of one size");
  const auto labels = first_labels.detach().to(at::kCPU, first_features.scalar_type());
  first_ = std::make_shared<Frame>(
      Frame{normalised_rows(first_features), labels.flatten(1).t().contiguous()});
  if (options.preceding > 0) preceding_.push_back(first_);
}

LabelPropagation::~LabelPropagation() = default;

std::vector<const LabelPropagation::Frame*> LabelPropagation::context() const {
  const bool first_is_preceding = frames_ <= options_.preceding;
  std::vector<const Frame*> frames;
  if (!first_is_preceding || !options_.distinct_first) frames.push_back(first_.get());
  for (const auto& frame : preceding_) frames.push_back(frame.get());
  return frames;
}

at::Tensor LabelPropagation::step(const at::Tensor& features) {
  const auto queries = normalised_rows(features);
  STC_CHECK(queries.sizes() == first_->features.sizes() &&
                queries.scalar_type() == first_->features.scalar_type(),
            "label propagation: features of frame ",
            frames_,
            " are ",
            features.sizes(),
            "; expected size and dtype of the first frame's");
  const auto labels = at::empty_like(first_->labels);
  const auto frames = context();
  AT_DISPATCH_FLOATING_TYPES(queries.scalar_type(), "label_propagation", [&] {
    Search<scalar_t> search;
    for (const auto* frame : frames) {
      search.features.push_back(frame->features.const_data_ptr<scalar_t>());
      search.labels.push_back(frame->labels.const_data_ptr<scalar_t>());
    }
    search.queries = queries.const_data_ptr<scalar_t>();
    search.result = labels.mutable_data_ptr<scalar_t>();
    search.height = queries.size(0);
    search.channels = queries.size(1);
    search.width = queries.size(2);
    search.classes = labels.size(1);
    search.half = std::min(options_.half_window, std::max(search.height, search.width));
    const auto window = 2 * search.half + 1;
    search.top_k = std::min<std::int64_t>(options_.top_k, frames.size() * window * window);
    search.temperature = static_cast<scalar_t>(options_.temperature);
    run_search(search);
  });
  preceding_.push_back(std::make_shared<Frame>(Frame{queries, labels}));
  ++frames_;
  if (static_cast<std::int64_t>(preceding_.size()) > options_.preceding) preceding_.pop_front();
  return labels.t().reshape({labels.size(1), queries.size(0), queries.size(2)}).contiguous();
}

}  // namespace stc::eval
