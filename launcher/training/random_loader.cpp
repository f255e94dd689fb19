#include "launcher/training/random_loader.h"

#include <ATen/ATen.h>

#include <numeric>

namespace stc::launcher {
namespace {

at::Tensor pixels(const std::vector<std::int64_t>& shape) {
  return at::randint(0, 256, shape, at::kByte);
}

std::vector<std::int64_t> indices(std::int64_t count) {
  std::vector<std::int64_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

template <>
data::ImageBatch RandomLoader<data::ImageBatch>::next() {
  const std::vector<std::int64_t> shape = {batch_, 3, size_, size_};
  return {pixels(shape), pixels(shape), indices(batch_)};
}

template <>
data::ClipBatch RandomLoader<data::ClipBatch>::next() {
  const std::vector<std::int64_t> shape = {batch_, 2, 3, size_, size_};
  return {pixels(shape), at::rand(shape, at::kFloat) * 2 - 1, indices(batch_)};
}

}  // namespace stc::launcher
