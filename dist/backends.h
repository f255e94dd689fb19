// The c10d backends: those that move tensors, and the one that records in front of them; and the
// store by which they find each other. c10d's headers stay in the .cpp files.
#pragma once

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <functional>
#include <memory>

#include "dist/collective_log.h"
#include "dist/communicator.h"
#include "dist/transport.h"

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace stc::dist {

/// CPU tensors over a transport. One thread runs the collectives in the order of the calls, so they
/// overlap with compute; it sleeps when there is none. After a failure every later collective fails
/// too.
c10::intrusive_ptr<c10d::Backend> make_host_backend(std::unique_ptr<Transport> transport);

/// CUDA tensors over NCCL, on the GPU of this rank's local rank. `transport` carries the
/// rendezvous. NCCL itself connects at the first collective.
c10::intrusive_ptr<c10d::Backend> make_nccl_backend(Transport& transport,
                                                    const World& world,
                                                    std::chrono::milliseconds timeout,
                                                    bool high_priority = false);

/// Passes each collective on to `inner`, which serves tensors on `device`, and writes it into
/// `log`. Of a backend for a GPU, poll() of the log finds the end and the time on the device.
c10::intrusive_ptr<c10d::Backend> make_recording_backend(c10::intrusive_ptr<c10d::Backend> inner,
                                                         std::shared_ptr<CollectiveLog> log,
                                                         at::Device device);

/// A key-value store that all ranks reach: served by a thread of rank 0, beside the collectives.
/// Rank 0 opens it on a free port and sends the port through `broadcast` (from rank 0), so there is
/// none to choose or to collide on. `is_one_host`: the store is reached over loopback.
c10::intrusive_ptr<c10d::Store> open_rank_store(int rank,
                                                bool is_one_host,
                                                std::chrono::milliseconds timeout,
                                                const std::function<void(Bytes)>& broadcast);

}  // namespace stc::dist
