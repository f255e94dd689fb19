#include "models/contrastive.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "monitoring/check.h"

namespace stc::models {
namespace {

at::Tensor unit_rows(const at::Tensor& rows) {
  return rows / rows.norm(2, {1}, true).clamp_min(1e-12);
}

}  // namespace

ContrastiveLoss contrastive_loss(const at::Tensor& query,
                                 const at::Tensor& key,
                                 const at::Tensor& queue,
                                 double temperature) {
  STC_CHECK(query.dim() == 2 && query.sizes() == key.sizes() && queue.size(1) == query.size(1),
            "query is {}, key {}, queue {}; expected [n, D], [n, D], [K, D]",
            query.sizes(),
            key.sizes(),
            queue.sizes());
  const auto q = unit_rows(query), k = unit_rows(key.detach());
  const auto positive = (q * k).sum(1, true);
  const auto logits = at::cat({positive, at::mm(q, queue.t())}, 1) / temperature;
  const auto labels =
      at::zeros({query.size(0)}, at::TensorOptions(query.device()).dtype(at::kLong));
  const auto hits = (logits.detach().argmax(1) == 0).to(query.scalar_type());
  return {at::cross_entropy_loss(logits, labels), logits, hits.mean()};
}

KeyQueue KeyQueue::random(std::int64_t size, std::int64_t dimension, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return {unit_rows(at::empty({size, dimension}, at::kFloat).normal_(0.0, 1.0, generator)), 0};
}

void KeyQueue::push(const at::Tensor& rows) {
  const at::NoGradGuard no_grad;
  const auto size = keys.size(0), count = rows.size(0);
  STC_CHECK(count <= size, "the queue holds {} keys, fewer than the {} of one step", size, count);
  const auto unit = unit_rows(rows);
  const auto head = std::min(count, size - pointer);
  keys.narrow(0, pointer, head).copy_(unit.narrow(0, 0, head));
  keys.narrow(0, 0, count - head).copy_(unit.narrow(0, head, count - head));
  pointer = (pointer + count) % size;
}

}  // namespace stc::models
