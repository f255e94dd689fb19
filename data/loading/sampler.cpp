#include "data/loading/sampler.h"

#include "data/random.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

constexpr int kRounds = 8;  // also small sets (4 or 16 places) come out well mixed

}  // namespace

Permutation::Permutation(std::uint64_t seed, std::uint64_t epoch, std::int64_t n)
    : seed_(seed), epoch_(epoch), n_(n), half_bits_(1) {
  STC_CHECK(n >= 1 && n < (std::int64_t{1} << 56), "a permutation of {} places", n);
  while ((std::uint64_t{1} << (2 * half_bits_)) < static_cast<std::uint64_t>(n)) ++half_bits_;
}

std::uint64_t Permutation::encrypt(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const auto block =
        philox4x32({round,
                    static_cast<std::uint32_t>(Purpose::kOrder),
                    static_cast<std::uint32_t>(right),
                    static_cast<std::uint32_t>(epoch_)},
                   {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
    const std::uint64_t mixed = (left ^ block[0]) & mask;
    left = right;
    right = mixed;
  }
  return left << half_bits_ | right;
}

std::int64_t Permutation::operator()(std::int64_t index) const {
  STC_CHECK(index >= 0 && index < n_, "place {} of a permutation of {}", index, n_);
  // Following the cycle of a place below n leads back below n, and different places end
  // differently. The network covers at most four times n (n >= 2), so the walk is short.
  auto place = static_cast<std::uint64_t>(index);
  do {
    place = encrypt(place);
  } while (place >= static_cast<std::uint64_t>(n_));
  return static_cast<std::int64_t>(place);
}

StreamPlace stream_place(std::int64_t global_sample, std::int64_t epoch_size) {
  return {global_sample / epoch_size, global_sample % epoch_size};
}

SampleRun sample_run(const SampleWindow& window, std::int64_t step) {
  const std::int64_t count = window.batch_size / window.world;
  return {step * window.batch_size + window.rank * count, count};
}

}  // namespace stc::data
