#include "data/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "monitoring/check.h"

namespace stc::data {
namespace {

// Fixed point: samples in units of 1/128 and weights in units of 1/65536, so that a product's upper
// half is in units of 1/128 again. Eight samples fit an SSE2 register where four floats do. Cutting
// off the lower halves costs half a unit a tap on average, which the sums start with.
using Fixed = std::uint16_t;
constexpr int kSampleBits = 7;

Fixed scaled(Fixed value, Fixed weight) {
  return static_cast<Fixed>((std::uint32_t{value} * weight) >> 16);
}

/// The input samples that one output sample is a weighted mean of.
struct Taps {
  int first = 0;
  std::vector<Fixed> weights;

  Fixed half_units() const { return static_cast<Fixed>(weights.size() / 2); }
};

/// Rounded so that they add up to one: the error goes on from each to the next.
std::vector<Fixed> fixed_weights(const std::vector<double>& weights, double sum) {
  std::vector<Fixed> fixed;
  double exact = 0;
  std::int64_t given = 0;
  for (const double weight : weights) {
    exact += weight / sum * 65536;
    const std::int64_t rounded = std::llround(exact) - given;
    given += rounded;
    fixed.push_back(static_cast<Fixed>(std::min<std::int64_t>(rounded, 65535)));
  }
  return fixed;
}

std::vector<Taps> triangle_taps(int input, int output) {
  const double scale = static_cast<double>(input) / output;
  const double support = std::max(scale, 1.0);
  std::vector<Taps> all(output);
  for (int i = 0; i < output; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int end = std::min(static_cast<int>(center + support + 0.5), input);
    std::vector<double> weights;
    double sum = 0;
    for (int x = first; x < end; ++x) {
      weights.push_back(std::max(0.0, 1.0 - std::abs(x - center + 0.5) / support));
      sum += weights.back();
    }
    all[i].first = first;
    all[i].weights = fixed_weights(weights, sum);
  }
  return all;
}

// Output rows are made in bands of this many. Within a band the samples are stored column by
// column, so that both passes run over neighbouring numbers and the compiler turns them into vector
// instructions.
constexpr int kBand = 16;
using BandColumn = std::array<Fixed, kBand>;

/// Weighted mean of input rows: one output row of `samples` interleaved values.
void mean_of_rows(
    const std::uint8_t* rows, std::size_t stride, const Taps& taps, int samples, Fixed* out) {
  std::fill(out, out + samples, taps.half_units());
  const std::uint8_t* row = rows + taps.first * stride;
  for (const Fixed weight : taps.weights) {
    for (int i = 0; i < samples; ++i)
      out[i] =
          static_cast<Fixed>(out[i] + scaled(static_cast<Fixed>(row[i] << kSampleBits), weight));
    row += stride;
  }
}

void transpose_band(const std::vector<Fixed>& rows, int samples, std::vector<BandColumn>& columns) {
  for (int i = 0; i < samples; ++i)
    for (int lane = 0; lane < kBand; ++lane)
      columns[i][lane] = rows[static_cast<std::size_t>(lane) * samples + i];
}

/// Weighted mean of a band's columns (pixels `taps` of one channel), rounded.
// Not inlined, so that the loop over lanes stays a loop that g++ turns into vector instructions.
[[gnu::noinline]] std::array<std::uint8_t, kBand> mean_of_columns(const BandColumn* columns,
                                                                  const Taps& taps) {
  BandColumn sum;
  sum.fill(taps.half_units());
  for (std::size_t k = 0; k < taps.weights.size(); ++k) {
    const BandColumn& column = columns[3 * k];
    const Fixed weight = taps.weights[k];
    for (int lane = 0; lane < kBand; ++lane)
      sum[lane] = static_cast<Fixed>(sum[lane] + scaled(column[lane], weight));
  }
  std::array<std::uint8_t, kBand> result;
  for (int lane = 0; lane < kBand; ++lane) {
    const int rounded = (sum[lane] + (1 << (kSampleBits - 1))) >> kSampleBits;
    result[lane] = static_cast<std::uint8_t>(std::min(rounded, 255));
  }
  return result;
}

}  // namespace

void resized_crop(const Image& image, const CropBox& box, int size, bool flip, std::uint8_t* out) {
  STC_CHECK(size >= 1 && box.width >= 1 && box.height >= 1 && box.x >= 0 && box.y >= 0 &&
                box.x + box.width <= image.width && box.y + box.height <= image.height,
            "crop box outside its image");
  const std::vector<Taps> down = triangle_taps(box.height, size);
  const std::vector<Taps> across = triangle_taps(box.width, size);
  const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
  const std::uint8_t* corner = image.pixels.data() + box.y * stride + std::size_t{3} * box.x;
  const int samples = box.width * 3;
  const std::size_t plane = static_cast<std::size_t>(size) * size;
  std::vector<Fixed> rows(static_cast<std::size_t>(kBand) * samples);
  std::vector<BandColumn> columns(samples);

  for (int top = 0; top < size; top += kBand) {
    const int height = std::min(kBand, size - top);
    for (int lane = 0; lane < height; ++lane)
      mean_of_rows(corner,
                   stride,
                   down[top + lane],
                   samples,
                   &rows[static_cast<std::size_t>(lane) * samples]);
    transpose_band(rows, samples, columns);
    for (int x = 0; x < size; ++x) {
      std::uint8_t* target = out + static_cast<std::size_t>(top) * size + (flip ? size - 1 - x : x);
      for (int channel = 0; channel < 3; ++channel) {
        const auto column = mean_of_columns(&columns[across[x].first * 3 + channel], across[x]);
        for (int lane = 0; lane < height; ++lane)
          target[channel * plane + static_cast<std::size_t>(lane) * size] = column[lane];
      }
    }
  }
}

}  // namespace stc::data
