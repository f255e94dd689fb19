#include "models/named_tensors.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitoring/check.h"

namespace stc::models {
namespace {

using testing::HasSubstr;

TEST(CopyNamed, CopiesIntoTheTensorsThemselvesAndIgnoresOtherNames) {
  const NamedTensors own{{"a", at::zeros({2}).requires_grad_()}, {"b", at::zeros({}, at::kLong)}};
  copy_named({{"a", at::ones({2})}, {"b", at::full({}, 3)}, {"c", at::ones({1})}}, own, "f", "x");
  EXPECT_TRUE(at::equal(own.at("a"), at::ones({2})));
  EXPECT_EQ(own.at("b").item<std::int64_t>(), 3);
}

TEST(CopyNamed, NamesWhatDoesNotFitAndCopiesNothing) {
  const NamedTensors own{{"a", at::zeros({2})}, {"b", at::zeros({3})}};
  const auto message = [&](const NamedTensors& given) -> std::string {
    try {
      copy_named(given, own, "FILE", "a model");
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kBadData);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message({{"a", at::ones({2})}}),
              HasSubstr("FILE: 'b' is missing; expected [3] for a model"));
  EXPECT_THAT(message({{"a", at::ones({2})}, {"b", at::ones({4})}}),
              HasSubstr("FILE: 'b' is [4]; expected [3] for a model"));
  EXPECT_TRUE(at::equal(own.at("a"), at::zeros({2})));
}

TEST(Moved, ChangesTheTypeOfFloatingPointAloneAndKeepsTheNeedOfAGradient) {
  const auto trained = moved(at::ones({2}).requires_grad_(), at::kCPU, at::kDouble);
  EXPECT_EQ(trained.scalar_type(), at::kDouble);
  EXPECT_TRUE(trained.requires_grad() && trained.is_leaf());
  EXPECT_EQ(moved(at::zeros({}, at::kLong), at::kCPU, at::kDouble).scalar_type(), at::kLong);
}

}  // namespace
}  // namespace stc::models
