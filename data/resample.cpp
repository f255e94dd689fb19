#include "data/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "monitoring/check.h"

namespace stc::data {
namespace {

/// The input samples that one output sample is a weighted mean of.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

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
    for (const double weight : weights) all[i].weights.push_back(static_cast<float>(weight / sum));
  }
  return all;
}

// Output rows are made in bands of this many. Within a band the samples are stored column by
// column, so that both passes run over neighbouring numbers and the compiler turns them into vector
// instructions.
constexpr int kBand = 16;
using BandColumn = std::array<float, kBand>;

/// Weighted mean of input rows: one output row of `samples` interleaved values.
void mean_of_rows(
    const std::uint8_t* rows, std::size_t stride, const Taps& taps, int samples, float* out) {
  const std::uint8_t* row = rows + taps.first * stride;
  const float first_weight = taps.weights[0];
  for (int i = 0; i < samples; ++i) out[i] = first_weight * row[i];
  for (std::size_t k = 1; k < taps.weights.size(); ++k) {
    row += stride;
    const float weight = taps.weights[k];
    for (int i = 0; i < samples; ++i) out[i] += weight * row[i];
  }
}

void transpose_band(const std::vector<float>& rows, int samples, std::vector<BandColumn>& columns) {
  for (int i = 0; i < samples; ++i)
    for (int lane = 0; lane < kBand; ++lane)
      columns[i][lane] = rows[static_cast<std::size_t>(lane) * samples + i];
}

/// Weighted mean of a band's columns (pixels `taps` of one channel), rounded.
std::array<std::uint8_t, kBand> mean_of_columns(const BandColumn* columns, const Taps& taps) {
  BandColumn sum{};
  for (std::size_t k = 0; k < taps.weights.size(); ++k) {
    const BandColumn& column = columns[3 * k];
    const float weight = taps.weights[k];
    for (int lane = 0; lane < kBand; ++lane) sum[lane] += weight * column[lane];
  }
  std::array<std::uint8_t, kBand> result;
  for (int lane = 0; lane < kBand; ++lane)
    result[lane] = static_cast<std::uint8_t>(static_cast<int>(sum[lane] + 0.5F));
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
  const std::uint8_t* corner = image.pixels.data() + box.y * stride + box.x * 3;
  const int samples = box.width * 3;
  const std::size_t plane = static_cast<std::size_t>(size) * size;
  std::vector<float> rows(static_cast<std::size_t>(kBand) * samples);
  std::vector<BandColumn> columns(samples);

  for (int top = 0; top < size; top += kBand) {
    const int height = std::min(kBand, size - top);
    for (int lane = 0; lane < height; ++lane)
      mean_of_rows(corner, stride, down[top + lane], samples, &rows[lane * samples]);
    transpose_band(rows, samples, columns);
    for (int x = 0; x < size; ++x) {
      std::uint8_t* target = out + top * size + (flip ? size - 1 - x : x);
      for (int channel = 0; channel < 3; ++channel) {
        const auto column = mean_of_columns(&columns[across[x].first * 3 + channel], across[x]);
        for (int lane = 0; lane < height; ++lane)
          target[channel * plane + static_cast<std::size_t>(lane) * size] = column[lane];
      }
    }
  }
}

}  // namespace stc::data
