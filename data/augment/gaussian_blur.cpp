#include "data/augment/gaussian_blur.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/augment/fixed_point.h"
#include "data/augment/vector_clones.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

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
