// Shuffle-BN (docs/method.md 1.3, steps 3 and 5): which rank encodes whose keys.
#pragma once

#include <cstdint>
#include <vector>

#include "dist/communicator.h"
#include "models/spatial_model.h"

namespace stc::launcher {

/// A permutation of all ranks' rows, the same on every rank: a function of (seed, step).
std::vector<std::int64_t> key_permutation(std::uint64_t seed, std::int64_t step, std::int64_t rows);

/// Images travel by all-to-all, each to the one rank that encodes it; keys come back by one
/// all-gather. In a world of one the batch is permuted and cut into `groups`. `rows` is per rank;
/// `world` must outlive the result.
models::KeyExchange make_key_exchange(dist::Communicator& world,
                                      std::uint64_t seed,
                                      std::int64_t step,
                                      std::int64_t rows,
                                      std::int64_t groups);

}  // namespace stc::launcher
