// A copy of a set of shards on a disk of this node, for when the file system that all nodes share
// is slow.
#pragma once

#include <cstdint>
#include <string>

namespace stc::data {

/// Below `disk`, a folder of that set alone: another set, or another version of it, has another.
std::string path_of_copy(const std::string& shards, const std::string& disk);

/// Makes that folder unless it exists: under another name, renamed once it is complete. Returns the
/// bytes copied, 0 if it was there. Throws stc::Error: kFailed if there is no room, or `disk`
/// cannot be written; kBadData if `shards` is not a set, or lacks a file.
std::uint64_t copy_shards(const std::string& shards, const std::string& disk);

}  // namespace stc::data
