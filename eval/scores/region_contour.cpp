#include "eval/scores/region_contour.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

namespace stc::eval {
namespace {

/// Rows first <= y < last, columns first <= x < last.
struct Box {
  int top = std::numeric_limits<int>::max();
  int bottom = 0;
  int left = std::numeric_limits<int>::max();
  int right = 0;

  /// Columns first <= x < last of row y.
  void include(int y, int first, int last) {
    top = std::min(top, y);
    bottom = std::max(bottom, y + 1);
    left = std::min(left, first);
    right = std::max(right, last);
  }
};

// Eight labels at once: the first is the lowest byte.
static_assert(std::endian::native == std::endian::little);

std::uint64_t eight_labels(const std::uint8_t* labels) {
  std::uint64_t eight;
  std::memcpy(&eight, labels, sizeof(eight));
  return eight;
}

std::uint64_t eight_times(std::uint8_t label) { return std::uint64_t{0x0101010101010101} * label; }

/// The first of columns x + 1 .. width where one of the labels differs from that of x.
int end_of_run(const std::uint8_t* truth, const std::uint8_t* prediction, int x, int width) {
  const auto t = eight_times(truth[x]), p = eight_times(prediction[x]);
  int end = x + 1;
  while (end + 8 <= width && eight_labels(truth + end) == t && eight_labels(prediction + end) == p)
    end += 8;
  while (end < width && truth[end] == truth[x] && prediction[end] == prediction[x]) ++end;
  return end;
}

/// What one pass over both maps tells about one label.
struct Region {
  std::int64_t both = 0;
  std::int64_t truth = 0;
  std::int64_t prediction = 0;
  Box box;  ///< around the label in either map
};

std::array<Region, 256> regions_of(const data::LabelMap& truth, const data::LabelMap& prediction) {
  std::array<Region, 256> regions;
  for (int y = 0; y < truth.height; ++y) {
    const auto row = static_cast<std::size_t>(y) * truth.width;
    const auto* t = truth.labels.data() + row;
    const auto* p = prediction.labels.data() + row;
    for (int x = 0, end = 0; x < truth.width; x = end) {
      end = end_of_run(t, p, x, truth.width);
      if (t[x] == 0 && p[x] == 0) continue;
      regions[t[x]].truth += end - x;
      regions[p[x]].prediction += end - x;
      if (t[x] == p[x]) regions[t[x]].both += end - x;
      regions[t[x]].box.include(y, x, end);
      regions[p[x]].box.include(y, x, end);
    }
  }
  return regions;
}

/// Bit i is set if label i of the eight is `label`.
std::uint64_t equal_labels(std::uint64_t eight, std::uint8_t label) {
  constexpr std::uint64_t kLow7 = 0x7f7f7f7f7f7f7f7f;
  const auto difference = eight ^ eight_times(label);
  const auto equal = ~(((difference & kLow7) + kLow7) | difference | kLow7);  // 0x80 a byte
  return (equal >> 7) * 0x0102040810204080 >> 56;
}

/// A binary mask, one bit a pixel: bit x % 64 of word x / 64 of a row. Bits beyond the width are 0.
class BitMask {
 public:
  BitMask(int height, int width)
      : height_(height),
        width_(width),
        words_((width + 63) / 64),
        bits_(static_cast<std::size_t>(height) * words_) {}

  /// Pixels of `map` inside `box` that carry `label`.
  BitMask(const data::LabelMap& map, const Box& box, std::uint8_t label)
      : BitMask(box.bottom - box.top, box.right - box.left) {
    for (int y = 0; y < height_; ++y) {
      const auto* labels =
          map.labels.data() + static_cast<std::size_t>(box.top + y) * map.width + box.left;
      int x = 0;
      for (; x + 8 <= width_; x += 8)
        row(y)[x / 64] |= equal_labels(eight_labels(labels + x), label) << (x % 64);
      for (; x < width_; ++x) row(y)[x / 64] |= std::uint64_t{labels[x] == label} << (x % 64);
    }
  }

  int height() const { return height_; }
  int width() const { return width_; }
  int words() const { return words_; }
  std::span<std::uint64_t> row(int y) { return {bits_.data() + offset(y), offset(1)}; }
  std::span<const std::uint64_t> row(int y) const { return {bits_.data() + offset(y), offset(1)}; }

  std::uint64_t word_mask(int word) const {
    const int used = width_ - 64 * word;
    return used >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << used) - 1;
  }

  std::int64_t count() const {
    std::int64_t sum = 0;
    for (const auto word : bits_) sum += std::popcount(word);
    return sum;
  }

  std::int64_t count_common(const BitMask& other) const {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < bits_.size(); ++i) sum += std::popcount(bits_[i] & other.bits_[i]);
    return sum;
  }

 private:
  std::size_t offset(int y) const { return static_cast<std::size_t>(y) * words_; }

  int height_;
  int width_;
  int words_;
  std::vector<std::uint64_t> bits_;
};

/// Bit x of the result is bit x + 1 of the row: the eastern neighbours.
std::uint64_t eastern(std::span<const std::uint64_t> row, int word) {
  const bool is_last = word + 1 == static_cast<int>(row.size());
  return row[word] >> 1 | (is_last ? 0 : row[word + 1] << 63);
}

std::uint64_t western(std::span<const std::uint64_t> row, int word) {
  return row[word] << 1 | (word == 0 ? 0 : row[word - 1] >> 63);
}

/// Pixels that differ from their eastern, southern or south-eastern neighbour. The last row looks
/// only east, the last column only south: the border of the frame is not a contour.
BitMask boundary_of(const BitMask& mask) {
  BitMask boundary(mask.height(), mask.width());
  const int last_column = mask.width() - 1;
  for (int y = 0; y < mask.height(); ++y) {
    const auto here = mask.row(y);
    const bool is_last_row = y + 1 == mask.height();
    for (int word = 0; word < mask.words(); ++word) {
      auto not_last_column = mask.word_mask(word);
      if (word == last_column / 64) not_last_column &= ~(std::uint64_t{1} << (last_column % 64));
      std::uint64_t differs = (here[word] ^ eastern(here, word)) & not_last_column;
      if (!is_last_row) {
        const auto below = mask.row(y + 1);
        differs |= here[word] ^ below[word];
        differs |= (here[word] ^ eastern(below, word)) & not_last_column;
      }
      boundary.row(y)[word] = differs;
    }
  }
  return boundary;
}

/// Row half-widths of the disk dx^2 + dy^2 <= radius^2, for dy = 0..radius.
std::vector<int> disk_half_widths(int radius) {
  std::vector<int> half_widths;
  int dx = radius;
  for (int dy = 0; dy <= radius; ++dy) {
    while (dx * dx + dy * dy > radius * radius) --dx;
    half_widths.push_back(dx);
  }
  return half_widths;
}

/// Dilation by the disk. Each row is widened one pixel at a time, and at every half-width of the
/// disk handed to the rows above and below that the disk reaches with that half-width.
BitMask dilate(const BitMask& mask, int radius) {
  const auto half_widths = disk_half_widths(radius);
  BitMask out(mask.height(), mask.width());
  std::vector<std::uint64_t> wide(mask.words());
  std::vector<std::uint64_t> wider(mask.words());
  const auto give_to = [&](int y) {
    if (y < 0 || y >= mask.height()) return;
    for (int word = 0; word < mask.words(); ++word) out.row(y)[word] |= wide[word];
  };
  for (int y = 0; y < mask.height(); ++y) {
    const auto row = mask.row(y);
    if (std::all_of(row.begin(), row.end(), [](std::uint64_t word) { return word == 0; })) continue;
    wide.assign(row.begin(), row.end());
    int dy = radius;
    for (int half_width = 0; half_width <= radius; ++half_width) {
      for (; dy >= 0 && half_widths[dy] == half_width; --dy) {
        give_to(y - dy);
        if (dy > 0) give_to(y + dy);
      }
      for (int word = 0; word < mask.words(); ++word) {
        wider[word] =
            (wide[word] | eastern(wide, word) | western(wide, word)) & mask.word_mask(word);
      }
      wide.swap(wider);
    }
  }
  return out;
}

double contour_accuracy(const BitMask& truth, const BitMask& prediction, int tolerance) {
  const BitMask truth_boundary = boundary_of(truth);
  const BitMask predicted_boundary = boundary_of(prediction);
  const auto in_truth = truth_boundary.count();
  const auto predicted = predicted_boundary.count();
  if (in_truth == 0 && predicted == 0) return 1;
  // One side has a contour and the other has none: precision or recall is 0, and so is F.
  if (in_truth == 0 || predicted == 0) return 0;
  const double precision =
      static_cast<double>(predicted_boundary.count_common(dilate(truth_boundary, tolerance))) /
      static_cast<double>(predicted);
  const double recall =
      static_cast<double>(truth_boundary.count_common(dilate(predicted_boundary, tolerance))) /
      static_cast<double>(in_truth);
  return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
}

/// One empty pixel around the box keeps every boundary pixel, and matches between boundaries never
/// leave it. At the edge of the frame there is no margin, and the rules for its last row and
/// column apply as they do to the full frame.
Box with_margin(const Box& box, int height, int width) {
  return {std::max(box.top - 1, 0),
          std::min(box.bottom + 1, height),
          std::max(box.left - 1, 0),
          std::min(box.right + 1, width)};
}

}  // namespace

int contour_tolerance(int height, int width) {
  const double h = height;
  const double w = width;
  return static_cast<int>(std::ceil(0.008 * std::sqrt(h * h + w * w)));
}

std::vector<RegionContour> region_and_contour(const data::LabelMap& truth,
                                              const data::LabelMap& prediction,
                                              int objects) {
  const auto regions = regions_of(truth, prediction);
  const int tolerance = contour_tolerance(truth.height, truth.width);
  std::vector<RegionContour> scores(objects, RegionContour{1, 1});
  for (int object = 1; object <= objects; ++object) {
    const Region& region = regions[object];
    const auto either = region.truth + region.prediction - region.both;
    if (either == 0) continue;
    const Box box = with_margin(region.box, truth.height, truth.width);
    const auto label = static_cast<std::uint8_t>(object);
    scores[object - 1].j = static_cast<double>(region.both) / static_cast<double>(either);
    scores[object - 1].f =
        contour_accuracy(BitMask(truth, box, label), BitMask(prediction, box, label), tolerance);
  }
  return scores;
}

}  // namespace stc::eval
