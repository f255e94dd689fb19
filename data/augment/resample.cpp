#include "data/augment/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "data/augment/fixed_point.h"
#include "data/augment/vector_clones.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

/// The input samples that one output sample is a weighted mean of.
struct Taps {
  int first = 0;
  int count = 0;
  int weights = 0;  // where its weights begin
};

/// A triangle filter that widens with the scale.
struct Filter {
  std::vector<Taps> taps;  // of each output sample
  std::vector<Fixed> weights;

  Filter(int input, int output);

 private:
  void add(int first, int end, double center, double support);
  std::vector<double> exact_;
};

Filter::Filter(int input, int output) {
  const double scale = static_cast<double>(input) / output;
  const double support = std::max(scale, 1.0);
  taps.reserve(output);
  weights.reserve(output * static_cast<std::size_t>(2 * support + 2));
  for (int i = 0; i < output; ++i) {
    const double center = (i + 0.5) * scale;
    add(std::max(static_cast<int>(center - support + 0.5), 0),
        std::min(static_cast<int>(center + support + 0.5), input),
        center,
        support);
  }
}

// Rounded so that they add up to one: each rounding error is carried over to the next.
void Filter::add(int first, int end, double center, double support) {
  exact_.clear();
  double sum = 0;
  for (int x = first; x < end; ++x) {
    exact_.push_back(std::max(0.0, 1.0 - std::abs(x - center + 0.5) / support));
    sum += exact_.back();
  }
  taps.push_back({first, end - first, static_cast<int>(weights.size())});
  double exact = 0;
  std::int64_t given = 0;
  for (const double weight : exact_) {
    exact += weight / sum * 65536;
    const std::int64_t rounded = std::llround(exact) - given;
    given += rounded;
    weights.push_back(static_cast<Fixed>(std::min<std::int64_t>(rounded, 65535)));
  }
}

Fixed half_units(const Taps& taps) { return static_cast<Fixed>(taps.count / 2); }

// Output rows are made in bands of this many. Within a band the samples are stored pixel by pixel,
// each the band's rows of red, of green and of blue, so that both passes run over neighbouring
// numbers and the compiler turns them into vector instructions.
constexpr int kBand = 16;
constexpr int kLanes = 3 * kBand;

/// Weighted mean of input rows: one output row of `samples` interleaved values.
STC_VECTOR_CLONES void mean_of_rows(const std::uint8_t* rows,
                                    std::size_t stride,
                                    const Taps& taps,
                                    const Fixed* weights,
                                    int samples,
                                    Fixed* out) {
  std::fill(out, out + samples, half_units(taps));
  const std::uint8_t* row = rows + taps.first * stride;
  for (int k = 0; k < taps.count; ++k, row += stride) {
    const Fixed weight = weights[k];
    for (int i = 0; i < samples; ++i)
      out[i] =
          static_cast<Fixed>(out[i] + scaled(static_cast<Fixed>(row[i] << kFixedBits), weight));
  }
}

/// `rows` [kBand][samples] to `pixels` [samples / 3][3][kBand], four rows at a time.
STC_VECTOR_CLONES void transpose_band(const Fixed* rows, int samples, Fixed* pixels) {
  for (int lane = 0; lane < kBand; lane += 4) {
    const Fixed* row = rows + static_cast<std::ptrdiff_t>(lane) * samples;
    for (int i = 0; i < samples; ++i) {
      const std::uint64_t four = row[i] | std::uint64_t{row[i + samples]} << 16 |
                                 std::uint64_t{row[i + 2 * samples]} << 32 |
                                 std::uint64_t{row[i + 3 * samples]} << 48;
      std::memcpy(pixels + i * kBand + lane, &four, sizeof four);
    }
  }
}

/// Weighted means of a band's pixels, rounded: `means` [taps][3][kBand].
STC_VECTOR_CLONES void mean_of_pixels(const Fixed* pixels,
                                      const Filter& filter,
                                      std::uint8_t* means) {
  for (const Taps& taps : filter.taps) {
    std::array<Fixed, kLanes> sum;
    sum.fill(half_units(taps));
    const Fixed* pixel = pixels + std::ptrdiff_t{taps.first} * kLanes;
    for (int k = 0; k < taps.count; ++k, pixel += kLanes) {
      const Fixed weight = filter.weights[taps.weights + k];
      for (int lane = 0; lane < kLanes; ++lane)
        sum[lane] = static_cast<Fixed>(sum[lane] + scaled(pixel[lane], weight));
    }
    for (int lane = 0; lane < kLanes; ++lane) {
      const int rounded = (sum[lane] + kHalfLevel) >> kFixedBits;
      means[lane] = static_cast<std::uint8_t>(std::min(rounded, 255));
    }
    means += kLanes;
  }
}

constexpr int kTogether = 4;  // bytes of a row that are stored at once

/// `means` [columns][3][kBand] to `rows` [3][kBand][columns]; columns a multiple of kTogether.
STC_VECTOR_CLONES void transpose_means(const std::uint8_t* means, int columns, std::uint8_t* rows) {
  for (int x = 0; x < columns; x += kTogether, means += kTogether * kLanes) {
    std::array<std::uint32_t, kLanes> words;
    for (int lane = 0; lane < kLanes; ++lane)
      words[lane] = means[lane] | std::uint32_t{means[lane + kLanes]} << 8 |
                    std::uint32_t{means[lane + 2 * kLanes]} << 16 |
                    std::uint32_t{means[lane + 3 * kLanes]} << 24;
    for (int lane = 0; lane < kLanes; ++lane)
      std::memcpy(rows + lane * columns + x, &words[lane], kTogether);
  }
}

}  // namespace

void resized_crop(const Image& image, const CropBox& box, int size, bool flip, std::uint8_t* out) {
  STC_CHECK(size >= 1 && box.width >= 1 && box.height >= 1 && box.x >= 0 && box.y >= 0 &&
                box.x + box.width <= image.width && box.y + box.height <= image.height,
            "crop box outside its image");
  const Filter down(box.height, size);
  Filter across(box.width, size);
  if (flip) std::reverse(across.taps.begin(), across.taps.end());
  const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
  const std::uint8_t* corner = image.pixels.data() + box.y * stride + std::size_t{3} * box.x;
  const int samples = box.width * 3;
  const std::size_t plane = static_cast<std::size_t>(size) * size;
  std::vector<Fixed> rows(static_cast<std::size_t>(kBand) * samples);
  std::vector<Fixed> pixels(rows.size());
  const int columns = (size + kTogether - 1) / kTogether * kTogether;
  std::vector<std::uint8_t> means(static_cast<std::size_t>(kLanes) * columns);
  std::vector<std::uint8_t> lines(means.size());

  for (int top = 0; top < size; top += kBand) {
    const int height = std::min(kBand, size - top);
    for (int lane = 0; lane < height; ++lane) {
      const Taps& taps = down.taps[top + lane];
      mean_of_rows(corner,
                   stride,
                   taps,
                   &down.weights[taps.weights],
                   samples,
                   &rows[static_cast<std::size_t>(lane) * samples]);
    }
    transpose_band(rows.data(), samples, pixels.data());
    mean_of_pixels(pixels.data(), across, means.data());
    transpose_means(means.data(), columns, lines.data());
    for (int channel = 0; channel < 3; ++channel) {
      std::uint8_t* band = out + channel * plane + static_cast<std::size_t>(top) * size;
      for (int lane = 0; lane < height; ++lane)
        std::copy_n(&lines[static_cast<std::size_t>(channel * kBand + lane) * columns],
                    size,
                    band + static_cast<std::size_t>(lane) * size);
    }
  }
}

}  // namespace stc::data
