#include "data/gaussian_blur.h"

#include <cmath>
#include <vector>

#include "monitoring/check.h"

namespace stc::data {
namespace {

/// Weights of the middle and of the places 1, 2, ... on either side.
std::vector<float> half_kernel(double sigma) {
  const int radius = static_cast<int>(std::ceil(4.0 * sigma));
  std::vector<double> weights(radius + 1);
  double sum = 0;
  for (int i = 0; i <= radius; ++i) {
    weights[i] = std::exp(-0.5 * i * i / (sigma * sigma));
    sum += (i == 0 ? 1 : 2) * weights[i];
  }
  std::vector<float> normalised;
  for (const double weight : weights) normalised.push_back(static_cast<float>(weight / sum));
  return normalised;
}

/// ... 2 1 [0 1 2 ... size-1] size-2 ...; also for kernels wider than the plane.
int reflected(int place, int size) {
  if (size == 1) return 0;
  const int period = 2 * (size - 1);
  place = ((place % period) + period) % period;
  return place < size ? place : period - place;
}

void blur_down(
    const std::uint8_t* plane, int y, int size, const std::vector<float>& kernel, float* out) {
  const std::uint8_t* middle = plane + static_cast<std::size_t>(y) * size;
  for (int x = 0; x < size; ++x) out[x] = kernel[0] * middle[x];
  for (int k = 1; k < static_cast<int>(kernel.size()); ++k) {
    const std::uint8_t* above = plane + static_cast<std::size_t>(reflected(y - k, size)) * size;
    const std::uint8_t* below = plane + static_cast<std::size_t>(reflected(y + k, size)) * size;
    const float weight = kernel[k];
    for (int x = 0; x < size; ++x) out[x] += weight * static_cast<float>(above[x] + below[x]);
  }
}

/// `row` has kernel.size() - 1 readable places before 0 and behind size - 1.
void blur_across(
    const float* row, int size, const std::vector<float>& kernel, float* sums, std::uint8_t* out) {
  for (int x = 0; x < size; ++x) sums[x] = kernel[0] * row[x];
  for (int k = 1; k < static_cast<int>(kernel.size()); ++k) {
    const float weight = kernel[k];
    for (int x = 0; x < size; ++x) sums[x] += weight * (row[x - k] + row[x + k]);
  }
  for (int x = 0; x < size; ++x)
    out[x] = static_cast<std::uint8_t>(static_cast<int>(sums[x] + 0.5F));
}

}  // namespace

void gaussian_blur(std::uint8_t* plane, int size, double sigma) {
  STC_CHECK(size >= 1 && sigma > 0, "blur of a plane of side ", size, " with sigma ", sigma);
  const std::vector<float> kernel = half_kernel(sigma);
  const int radius = static_cast<int>(kernel.size()) - 1;
  const std::vector<std::uint8_t> source(plane, plane + static_cast<std::size_t>(size) * size);
  std::vector<float> padded(size + 2 * radius);
  std::vector<float> sums(size);
  float* row = padded.data() + radius;
  for (int y = 0; y < size; ++y) {
    blur_down(source.data(), y, size, kernel, row);
    for (int k = 1; k <= radius; ++k) {
      row[-k] = row[reflected(-k, size)];
      row[size - 1 + k] = row[reflected(size - 1 + k, size)];
    }
    blur_across(row, size, kernel, sums.data(), plane + static_cast<std::size_t>(y) * size);
  }
}

}  // namespace stc::data
