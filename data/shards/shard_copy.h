// A set of shards on a disk of this node, where the file system that all nodes share is slow.
#pragma once

#include <cstdint>
#include <string>

namespace stc::data {

/// Below `disk`, a folder of that set alone: another set, or another version of it, has another.
std::string path_of_copy(const std::string& shards, const std::string& disk);

/// Makes that folder, unless it is there: under another name, renamed once it is whole. Returns the
/// bytes copied, 0 where it was there. Throws stc::Error: kFailed where there is no room, or
/// `disk` cannot be written; kBadData where `shards` is no set, or lacks a file.
std::uint64_t copy_shards(const std::string& shards, const std::string& disk);

}  // namespace stc::data
