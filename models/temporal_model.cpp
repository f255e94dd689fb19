#include "models/temporal_model.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace stc::models {
namespace {

at::Tensor pairs(const at::Tensor& frames) { return frames.unflatten(0, {-1, 2}); }

}  // namespace

TemporalModel::TemporalModel(const TemporalOptions& given, std::uint64_t seed)
    : options(given), student(student_options(given.depth), seed, /*zero_last=*/true) {
  student.set_requires_grad(true);
  if (options.losses.global_weight != 0)
    teacher.emplace(standard_options(given.teacher_depth), seed);
}

TemporalModel::Features TemporalModel::features(const Batch& batch, const OverRanks& ranks) const {
  Features out;
  const auto seen = drop_channel(batch.lab, batch.dropped).flatten(0, 1);
  const auto levels = student.forward(seen, 2, teacher ? 4 : 3, BatchNormMode::kTrain, ranks);
  for (std::size_t i = 0; i < levels.size(); ++i) out.levels[i] = pairs(levels[i]);
  if (teacher) {
    const at::NoGradGuard no_grad;
    out.teacher = pairs(teacher->forward(batch.rgb.flatten(0, 1), 4, 4, BatchNormMode::kEval)[0]);
  }
  return out;
}

TemporalLosses TemporalModel::losses(const Batch& batch, const OverRanks& ranks) const {
  const auto maps = features(batch, ranks);
  return temporal_losses(
      {maps.levels, maps.teacher, batch.lab, batch.dropped, batch.selection, ranks},
      options.losses);
}

void TemporalModel::to(at::Device device, at::ScalarType dtype) {
  student.to(device, dtype);
  if (teacher) teacher->to(device, dtype);
}

void TemporalModel::set_arithmetic(const Arithmetic& arithmetic) {
  student.set_arithmetic(arithmetic);
  if (!teacher) return;
  teacher->set_arithmetic(arithmetic);
  if (arithmetic.reduced == at::kBFloat16) teacher = teacher->folded(at::kBFloat16);
}

at::Tensor drop_channel(const at::Tensor& lab, std::int64_t dropped) {
  auto seen = lab * 1.5;
  seen.select(2, dropped).zero_();
  return seen;
}

}  // namespace stc::models
