// A world of any size without its processes, for a dry run: one rank calls its collectives, each of
// which completes at once with values of the right shape that mean nothing.
#pragma once

#include <memory>

#include "dist/collective_log.h"
#include "dist/communicator.h"

namespace stc::dist {

/// The CPU communicator of this rank. `log` records its collectives, counted as in a real world.
std::shared_ptr<Communicator> make_fake_communicator(const World& world,
                                                     std::shared_ptr<CollectiveLog> log);

}  // namespace stc::dist
