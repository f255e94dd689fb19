// CRC-32C (Castagnoli), the checksum of the entries of a shard.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace stc::data {

/// The checksum of `bytes` after bytes whose checksum is `before`; crc32c("123456789") is
/// 0xe3069283. Uses SSE 4.2 if the processor has it.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t before = 0);

/// The same by a table, on any processor.
std::uint32_t crc32c_by_table(std::span<const std::uint8_t> bytes, std::uint32_t before = 0);

/// The eight hex digits of a checksum.
std::string hexadecimal(std::uint32_t checksum);

}  // namespace stc::data
