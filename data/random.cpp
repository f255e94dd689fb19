#include "data/random.h"

#include "monitoring/check.h"

namespace stc::data {
namespace {

std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high(second) ^ counter[1] ^ key[0],
               low(second),
               high(first) ^ counter[3] ^ key[1],
               low(first)};
    key[0] += 0x9E3779B9;  // the golden ratio, and sqrt(3) - 1: Weyl sequences of the paper
    key[1] += 0xBB67AE85;
  }
  return counter;
}

CounterRandom::CounterRandom(std::uint64_t seed,
                             Purpose purpose,
                             std::uint64_t epoch,
                             std::uint64_t index)
    : key_{low(seed), high(seed)},
      counter_{
          0, static_cast<std::uint32_t>(purpose) | (high(index) << 8), low(index), low(epoch)} {
  STC_CHECK(epoch >> 32 == 0 && index >> 56 == 0,
            "random numbers of epoch {}, sample {}; epochs below 2^32 and samples below 2^56 are "
            "expected",
            epoch,
            index);
}

std::uint64_t CounterRandom::bits() {
  if (unused_ == 0) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    unused_ = 4;
  }
  const std::uint64_t upper = block_[4 - unused_];
  const std::uint64_t lower = block_[5 - unused_];
  unused_ -= 2;
  return upper << 32 | lower;
}

double CounterRandom::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

double CounterRandom::uniform(double first, double last) {
  return first + (last - first) * uniform();
}

bool CounterRandom::chance(double probability) { return uniform() < probability; }

std::int64_t CounterRandom::integer(std::int64_t first, std::int64_t last) {
  STC_CHECK(first <= last, "a random integer from the empty range {}..{}", first, last);
  // Multiply and shift; the bias is below range / 2^64.
  const std::uint64_t range = static_cast<std::uint64_t>(last - first) + 1;
  const auto product = static_cast<unsigned __int128>(bits()) * range;
  return first + static_cast<std::int64_t>(static_cast<std::uint64_t>(product >> 64));
}

}  // namespace stc::data
