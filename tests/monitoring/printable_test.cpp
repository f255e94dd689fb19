#include "monitoring/printable.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "monitoring/json_text.h"

namespace stc {
namespace {

using nlohmann::ordered_json;

TEST(Escaped, LeavesUtf8AsItIs) {
  for (const char* name : {"",
                           "a/b c.jpg",
                           "caf\u00e9",
                           "cafe\u0301",
                           "\u6f22\u5b57.mp4",
                           "\U0001f600",
                           "C:\\photos\\x",
                           "a\nb\t\"c\"",
                           "-o"}) {
    EXPECT_EQ(escaped(name), name);
    EXPECT_EQ(unescaped(name), name);
  }
}

TEST(Escaped, ShowsEachByteThatIsNotUtf8) {
  EXPECT_EQ(escaped("\xc4\xe3\xba\xc3.mp4"), R"(\xc4\xe3\xba\xc3.mp4)");  // GBK
  EXPECT_EQ(escaped("caf\xe9"), R"(caf\xe9)");                            // Latin-1
  EXPECT_EQ(escaped("a\xc3"), R"(a\xc3)");                                // cut short
  EXPECT_EQ(escaped("\xc0\xaf"), R"(\xc0\xaf)");                          // overlong
  EXPECT_EQ(escaped("\xe0\x80\xaf"), R"(\xe0\x80\xaf)");                  // overlong
  EXPECT_EQ(escaped("\xed\xa0\x80"), R"(\xed\xa0\x80)");                  // a surrogate
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)");          // above U+10FFFF
}

TEST(Escaped, IsReadBackEvenWhereANameLooksLikeAnEscape) {
  EXPECT_EQ(escaped(R"(a\xc4)"), R"(a\x5cxc4)");
  EXPECT_EQ(unescaped(escaped(R"(a\xc4)")), R"(a\xc4)");
  EXPECT_EQ(unescaped(escaped("a\xc4")), "a\xc4");
}

TEST(Escaped, OfAnyBytesIsJsonAndReadsBackToThem) {
  std::mt19937 random(7);
  const std::string favoured = "\\x4c\xc3\xa9\xed\xa0\xf0\x9f\x98\x80/";
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& byte : bytes)
      byte = random() % 2 == 0 ? static_cast<char>(random() % 256)
                               : favoured[random() % favoured.size()];
    ASSERT_EQ(unescaped(escaped(bytes)), bytes);
    const auto line = json_text(ordered_json{{bytes, {bytes, 1}}});
    ASSERT_EQ(unescaped_json(ordered_json::parse(line)), (ordered_json{{bytes, {bytes, 1}}}));
    ASSERT_NO_THROW(ordered_json(printable(bytes)).dump());
  }
}

TEST(Printable, ShowsWhatWouldBreakALineOrDriveATerminal) {
  EXPECT_EQ(printable("a\nb\x1b[2J\xc2\x9b\x7f\xff"), R"(a\x0ab\x1b[2J\xc2\x9b\x7f\xff)");
  EXPECT_EQ(printable("a\tb\\xc4 \u00e9"), "a\tb\\xc4 \u00e9");
  EXPECT_EQ(printable("a\nb\r", "\n"), "a\nb\\x0d");
}

}  // namespace
}  // namespace stc
