// A key-value store that all ranks reach: served by a thread of rank 0, beside the collectives.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <functional>

#include "dist/transport.h"

namespace c10d {
class Store;
}

namespace stc::dist {

/// Rank 0 opens it on a free port and sends the port through `broadcast` (from rank 0), so there is
/// none to choose or to collide on. `is_one_host`: the store is reached over loopback.
c10::intrusive_ptr<c10d::Store> open_rank_store(int rank,
                                                bool is_one_host,
                                                std::chrono::milliseconds timeout,
                                                const std::function<void(Bytes)>& broadcast);

}  // namespace stc::dist
