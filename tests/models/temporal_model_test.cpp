#include "models/temporal_model.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace stc::models {
namespace {

TemporalModel::Batch batch_of(std::int64_t clips) {
  at::manual_seed(2);
  return {at::randn({clips, 2, 3, 64, 64}), at::randn({clips, 2, 3, 64, 64}), 1, {}};
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

at::Tensor teacher_map(const Arithmetic& arithmetic) {
  TemporalModel model({}, 5);
  model.set_arithmetic(arithmetic);
  return model.features(batch_of(2), {}).teacher;
}

TEST(TemporalModel, OnlyBfloat16FoldsTheTeacher) {
  const auto short_weights = [](const Arithmetic& arithmetic) {
    TemporalModel model({}, 5);
    model.set_arithmetic(arithmetic);
    EXPECT_TRUE(model.student.state().contains("bn1.running_var"));
    return !model.teacher->state().contains("bn1.running_var");
  };
  EXPECT_TRUE(short_weights({at::kBFloat16, true}));
  EXPECT_FALSE(short_weights({at::kHalf, true}));
  EXPECT_FALSE(short_weights({std::nullopt, true}));
  EXPECT_FALSE(short_weights({}));
}

TEST(TemporalModel, AFoldedTeacherStaysNear) {
  const auto exact = teacher_map({}), folded = teacher_map({at::kBFloat16, false});
  EXPECT_EQ(folded.scalar_type(), at::kFloat);
  EXPECT_LT(difference(folded, exact), 0.05);
  EXPECT_FALSE(at::equal(folded, exact));
  EXPECT_LT(difference(teacher_map({at::kBFloat16, true}), exact), 0.05);
}

}  // namespace
}  // namespace stc::models
