#include "data/augment/pixel_filters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "data/augment/vector_clones.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

// Samples in units of 1/128 and weights in units of 1/65536, so that a product's upper half is in
// units of 1/128 again. Eight samples fit an SSE2 register that holds four floats. Cutting off the
// lower halves costs half a unit a tap on average, which the sums start with.
using Fixed = std::uint16_t;
constexpr int kFixedBits = 7;
constexpr int kHalfLevel = 1 << (kFixedBits - 1);  // what rounding to a grey level adds

inline Fixed scaled(Fixed value, Fixed weight) {
  return static_cast<Fixed>((std::uint32_t{value} * weight) >> 16);
}

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

// Rounding stays below 0.2 grey levels at the largest sigma.
constexpr double kMaxSigma = 10.0;  // 41 taps: sums of two pixels still fit

/// Weights of the middle and of the places 1, 2, ... on either side.
std::vector<Fixed> half_kernel(double sigma) {
  const int radius = static_cast<int>(std::ceil(4.0 * sigma));
  std::vector<double> weights(radius + 1);
  double sum = 0;
  for (int i = 0; i <= radius; ++i) {
    weights[i] = std::exp(-0.5 * i * i / (sigma * sigma));
    sum += (i == 0 ? 1 : 2) * weights[i];
  }
  std::vector<Fixed> kernel(radius + 1);
  int middle = 65536;  // takes what rounding leaves, so that the weights add up to one
  for (int i = 1; i <= radius; ++i) {
    kernel[i] = static_cast<Fixed>(std::lround(weights[i] / sum * 65536));
    middle -= 2 * kernel[i];
  }
  kernel[0] = static_cast<Fixed>(std::min(middle, 65535));
  return kernel;
}

/// ... 2 1 [0 1 2 ... size-1] size-2 ...; also for kernels wider than the plane.
int reflected(int place, int size) {
  if (size == 1) return 0;
  const int period = 2 * (size - 1);
  place = ((place % period) + period) % period;
  return place < size ? place : period - place;
}

STC_VECTOR_CLONES void to_fixed(const std::uint8_t* values, std::size_t count, Fixed* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<Fixed>(values[i] << kFixedBits);
}

STC_VECTOR_CLONES void round_to_bytes(const Fixed* values, int count, std::uint8_t* out) {
  for (int i = 0; i < count; ++i)
    out[i] = static_cast<std::uint8_t>((values[i] + kHalfLevel) >> kFixedBits);
}

/// sums = kernel[0] * middle, and half a unit for each tap to come.
STC_VECTOR_CLONES void start_sums(const Fixed* middle,
                                  int size,
                                  const std::vector<Fixed>& kernel,
                                  Fixed* sums) {
  const auto half_units = static_cast<Fixed>(kernel.size() / 2);
  for (int x = 0; x < size; ++x)
    sums[x] = static_cast<Fixed>(scaled(middle[x], kernel[0]) + half_units);
}

// A clone is not inlined; if it were, g++ would make the taps the inner loop, pixel by pixel.
STC_VECTOR_CLONES void add_pair(
    const Fixed* one, const Fixed* other, int size, Fixed weight, Fixed* sums) {
  for (int x = 0; x < size; ++x)
    sums[x] = static_cast<Fixed>(sums[x] + scaled(static_cast<Fixed>(one[x] + other[x]), weight));
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
      const Fixed* weights = &down.weights[taps.weights];
      Fixed* row = &rows[static_cast<std::size_t>(lane) * samples];
      mean_of_rows(corner, stride, taps, weights, samples, row);
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

void gaussian_blur(std::uint8_t* plane, int size, double sigma) {
  STC_CHECK(size >= 1 && sigma > 0 && sigma <= kMaxSigma,
            "blur of a plane of side {} with sigma {}",
            size,
            sigma);
  const std::vector<Fixed> kernel = half_kernel(sigma);
  const int radius = static_cast<int>(kernel.size()) - 1;
  std::vector<Fixed> source(static_cast<std::size_t>(size) * size);
  to_fixed(plane, source.size(), source.data());
  const auto row_of = [&](int y) {
    return source.data() + static_cast<std::size_t>(reflected(y, size)) * size;
  };
  std::vector<Fixed> padded(size + 2 * radius);  // a blurred row and its reflected ends
  std::vector<Fixed> sums(size);
  Fixed* row = padded.data() + radius;
  for (int y = 0; y < size; ++y) {
    start_sums(row_of(y), size, kernel, row);
    for (int k = 1; k <= radius; ++k) add_pair(row_of(y - k), row_of(y + k), size, kernel[k], row);
    for (int k = 1; k <= radius; ++k) {
      row[-k] = row[reflected(-k, size)];
      row[size - 1 + k] = row[reflected(size - 1 + k, size)];
    }
    start_sums(row, size, kernel, sums.data());
    for (int k = 1; k <= radius; ++k) add_pair(row - k, row + k, size, kernel[k], sums.data());
    round_to_bytes(sums.data(), size, plane + static_cast<std::size_t>(y) * size);
  }
}

}  // namespace stc::data
