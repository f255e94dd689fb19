// What a shard keeps of an image: its own bytes if it can, a new JPEG if it must. Private to data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/images/image.h"
#include "data/packing/pack.h"

namespace stc::data {

struct StoredImage {
  std::vector<std::uint8_t> bytes;
  std::string error;              ///< not empty: what is wrong with the file, which it names
  bool lacks_end_marker = false;  ///< of a JPEG whose pixels are all there
};

/// Encodes a decoded frame.
StoredImage store_frame(const Image& frame, const PackOptions& options);

/// Decodes the file, so that a damaged one is found before training.
StoredImage store_file(const std::string& path, const PackOptions& options);

}  // namespace stc::data
