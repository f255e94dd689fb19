#include "monitoring/check.h"

#include <gtest/gtest.h>

namespace stc {
namespace {

TEST(Check, PassesWithoutAThrow) { EXPECT_NO_THROW(STC_CHECK(1 + 1 == 2, "arithmetic")); }

TEST(Check, PutsThePartsOfTheMessageOneAfterTheOther) {
  try {
    STC_CHECK(false, "step {} took {} s", 3, 0.5);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "step 3 took 0.5 s");
    EXPECT_EQ(error.exit(), Exit::kFailed);
  }
}

TEST(Check, CarriesTheExitCode) {
  try {
    STC_CHECK_USAGE(false, "wrong flag");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.exit()), 2);
  }
  try {
    STC_CHECK_DATA(false, "bad file");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.exit()), 3);
  }
}

TEST(Check, DoesNotBuildTheMessageOfACheckThatHolds) {
  int built = 0;
  STC_CHECK(true, "{}", ++built);
  EXPECT_EQ(built, 0);
}

}  // namespace
}  // namespace stc
