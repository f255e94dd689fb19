// Do all ranks still hold the same? What drifts apart by a bit trains on, and wrongly.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "data/weights/safetensors.h"
#include "dist/communicator.h"

namespace stc::launcher {

/// CRC-32C of the tensors' bytes, in the order of their names.
std::uint32_t checksum(const data::NamedTensors& tensors);

/// Throws on all ranks (rank 0 says which of the groups differs and names the ranks) if their
/// checksums are not equal. A collective.
void check_equal_on_all_ranks(dist::Communicator& control,
                              std::int64_t step,
                              const std::map<std::string, data::NamedTensors>& groups);

}  // namespace stc::launcher
