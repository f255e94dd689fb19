#include "launcher/config/nearest_name.h"

#include <gtest/gtest.h>

namespace stc::launcher {
namespace {

TEST(NearestName, CountsInsertedDeletedReplacedAndSwappedLetters) {
  const std::vector<std::string> known{"pack", "train", "propagate", "score"};
  EXPECT_EQ(nearest_name("trian", known), "train");
  EXPECT_EQ(nearest_name("packs", known), "pack");
  EXPECT_EQ(nearest_name("scre", known), "score");
  EXPECT_EQ(nearest_name("propagade", known), "propagate");
}

TEST(NearestName, FindsAKeyThatStandsInAnotherSection) {
  const std::vector<std::string> known{
      "train.steps", "train.layer_rate", "optimizer.learning_rate"};
  EXPECT_EQ(nearest_name("train.learning_rate", known), "optimizer.learning_rate");
}

TEST(NearestName, TakesTheFirstOfEquals) { EXPECT_EQ(nearest_name("ax", {"ab", "ac"}), "ab"); }

TEST(NearestName, IsEmptyWhereNothingIsNear) {
  EXPECT_EQ(nearest_name("--fps", {"--out", "--data"}), "");
  EXPECT_EQ(nearest_name("--ot", {"--out", "--data"}), "--out");
}

TEST(NearestName, IsEmptyWhereNothingIsKnown) { EXPECT_EQ(nearest_name("train", {}), ""); }

}  // namespace
}  // namespace stc::launcher
