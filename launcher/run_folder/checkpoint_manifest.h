// MANIFEST of a checkpoint folder: the size and CRC-32C of each file, written last, so that a
// folder with a true MANIFEST is whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stc::launcher {

/// Reads the files back for their sums. Throws stc::Error where one cannot be read or MANIFEST not
/// be written.
void write_manifest(const std::string& folder,
                    std::int64_t step,
                    const std::vector<std::string>& files);

/// Why the folder is not the whole checkpoint of this step ("model.safetensors is 100 bytes,
/// MANIFEST says 2000"); empty where it is. A step of -1 takes that of the MANIFEST.
std::string manifest_fault(const std::string& folder,
                           std::int64_t step,
                           const std::vector<std::string>& files);

}  // namespace stc::launcher
