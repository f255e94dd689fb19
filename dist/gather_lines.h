// Text from all ranks.
#pragma once

#include <string>
#include <vector>

#include "dist/communicator.h"

namespace stc::dist {

/// One line of each rank, in rank order; each is cut after 255 bytes. Collective.
std::vector<std::string> gather_lines(Communicator& world, const std::string& own);

}  // namespace stc::dist
