#include "launcher/training/feed.h"

#include <ATen/ATen.h>

#include <vector>

namespace stc::launcher {
namespace {

std::vector<std::int64_t> rows_of(const std::vector<std::int64_t>& samples,
                                  std::int64_t first,
                                  std::int64_t rows) {
  return {samples.begin() + first, samples.begin() + first + rows};
}

}  // namespace

data::ImageBatch rows_on(at::Device device,
                         const data::ImageBatch& batch,
                         std::int64_t first,
                         std::int64_t rows) {
  return {batch.query.narrow(0, first, rows).to(device),
          batch.key.narrow(0, first, rows).to(device),
          rows_of(batch.samples, first, rows)};
}

data::ClipBatch rows_on(at::Device device,
                        const data::ClipBatch& batch,
                        std::int64_t first,
                        std::int64_t rows) {
  return {batch.rgb.narrow(0, first, rows).to(device),
          batch.lab.narrow(0, first, rows).to(device),
          rows_of(batch.samples, first, rows)};
}

}  // namespace stc::launcher
