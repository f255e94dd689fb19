#include "data/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

namespace stc::data {
namespace {

std::vector<std::uint8_t> random_bytes(std::size_t count) {
  std::mt19937 generator(7);
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator());
  return bytes;
}

TEST(Crc32c, HasTheValuesOfRfc3720) {
  constexpr std::string_view kDigits = "123456789";
  const auto* digits = reinterpret_cast<const std::uint8_t*>(kDigits.data());
  EXPECT_EQ(crc32c({digits, kDigits.size()}), 0xe3069283u);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0x00)), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0xff)), 0x62a8ab43u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc32c, IsTheSameByInstructionAndByTable) {
  const auto bytes = random_bytes(200);
  for (std::size_t begin = 0; begin < 9; ++begin) {
    for (std::size_t count = 0; begin + count <= bytes.size(); ++count) {
      const auto piece = std::span(bytes).subspan(begin, count);
      EXPECT_EQ(crc32c(piece), crc32c_by_table(piece)) << begin << " " << count;
    }
  }
}

TEST(Crc32c, GoesOnWhereItStopped) {
  const auto bytes = random_bytes(100);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const auto begin = std::span(bytes).first(cut);
    const auto end = std::span(bytes).subspan(cut);
    EXPECT_EQ(crc32c(end, crc32c(begin)), crc32c(bytes)) << cut;
    EXPECT_EQ(crc32c_by_table(end, crc32c_by_table(begin)), crc32c(bytes)) << cut;
  }
}

}  // namespace
}  // namespace stc::data
