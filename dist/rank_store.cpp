#include "dist/rank_store.h"

#include <array>
#include <cstring>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "dist/group_communicator.h"

namespace stc::dist {
namespace {

/// Where rank 0's store listens.
struct Address {
  std::array<char, 256> host{};
  std::uint16_t port = 0;
};

}  // namespace

c10::intrusive_ptr<c10d::Store> open_rank_store(int rank,
                                                bool is_one_host,
                                                std::chrono::milliseconds timeout,
                                                const std::function<void(Bytes)>& broadcast) {
  c10d::TCPStoreOptions options;
  options.timeout = timeout;
  options.waitWorkers = false;
  c10::intrusive_ptr<c10d::TCPStore> store;
  Address address;
  if (rank == 0) {
    const std::string host = is_one_host ? "127.0.0.1" : host_name();
    std::strncpy(address.host.data(), host.c_str(), address.host.size() - 1);
    options.port = 0;
    options.isServer = true;
    store = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
    address.port = store->getPort();
  }
  broadcast(Bytes(reinterpret_cast<std::byte*>(&address), sizeof(address)));
  if (rank != 0) {
    options.port = address.port;
    store = c10::make_intrusive<c10d::TCPStore>(address.host.data(), options);
  }
  return store;
}

}  // namespace stc::dist
