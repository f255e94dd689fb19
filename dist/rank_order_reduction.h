// All-reduce on host memory whose result depends on the ranks' values alone.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dist/communicator.h"
#include "dist/transport.h"

namespace stc::dist {

/// float, double, int64, int32, uint8, and bfloat16 and half (added up in float, rounded once).
bool can_reduce(at::ScalarType type);

/// out[i] = parts[0][i] op parts[1][i] op ...; `out` may be one of the parts.
void combine_in_rank_order(const std::vector<const std::byte*>& parts,
                           std::byte* out,
                           std::int64_t elements,
                           at::ScalarType type,
                           ReduceOp op);

/// In place. Every element is combined in the order of ranks 0, 1, 2, ..., wherever it lies in the
/// tensor: a ring or a tree would make the last bit depend on how gradients were cut into buckets,
/// and with it a resumed run on the buckets it had. All ranks get the same bits. A rank sends and
/// receives 2 (size - 1) / size of the tensor, the least possible.
void all_reduce_in_rank_order(
    Transport& transport, void* data, std::int64_t elements, at::ScalarType type, ReduceOp op);

}  // namespace stc::dist
