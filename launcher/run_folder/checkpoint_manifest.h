// MANIFEST of a checkpoint folder: the size and CRC-32C of each file, written last, so that a
// folder with a matching MANIFEST is complete.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stc::launcher {

/// Reads the files back for their sums. Throws stc::Error if one cannot be read or MANIFEST cannot
/// be written.
void write_manifest(const std::string& folder,
                    std::int64_t step,
                    const std::vector<std::string>& files);

/// Why the folder is not the complete checkpoint of this step ("model.safetensors is 100 bytes,
/// MANIFEST says 2000"); empty if it is. A step of -1 accepts that of the MANIFEST.
std::string manifest_fault(const std::string& folder,
                           std::int64_t step,
                           const std::vector<std::string>& files);

}  // namespace stc::launcher
