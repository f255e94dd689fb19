#include "dist/gather_lines.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

namespace stc::dist {

// Rows of text, [ranks], through a collective of bytes.
std::vector<std::string> gather_lines(Communicator& world, const std::string& own) {
  constexpr std::int64_t kWidth = 256;
  const auto line = at::zeros({1, kWidth}, at::kByte);
  std::memcpy(line.data_ptr(), own.data(), std::min<std::size_t>(own.size(), kWidth - 1));
  const auto all = world.all_gather(line);
  std::vector<std::string> lines;
  for (std::int64_t r = 0; r < all.size(0); ++r)
    lines.emplace_back(static_cast<const char*>(all[r].data_ptr()));
  return lines;
}

}  // namespace stc::dist
