#include "dist/shared_counters.h"

#include <ATen/ATen.h>

#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "dist/backends.h"
#include "dist/group_communicator.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

constexpr std::chrono::seconds kTimeout(60);

class OwnCounters : public SharedCounters {
 public:
  std::int64_t add(const std::string& name, std::int64_t amount) override {
    return std::exchange(values_[name], values_[name] + amount);
  }

 private:
  std::map<std::string, std::int64_t> values_;
};

class StoreCounters : public SharedCounters {
 public:
  explicit StoreCounters(c10::intrusive_ptr<c10d::Store> store) : store_(std::move(store)) {}
  std::int64_t add(const std::string& name, std::int64_t amount) override {
    try {
      return store_->add(name, amount) - amount;
    } catch (const std::exception&) {  // its message is about sockets
      throw Error(Exit::kLostRank, "rank 0, which counts for all ranks, is gone");
    }
  }

 private:
  const c10::intrusive_ptr<c10d::Store> store_;
};

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

std::unique_ptr<SharedCounters> open_shared_counters(Communicator& world) {
  if (world.size() == 1) return std::make_unique<OwnCounters>();
  const bool is_one_host = world.local_size() == world.size();
  return std::make_unique<StoreCounters>(
      open_rank_store(world.rank(), is_one_host, kTimeout, [&](Bytes bytes) {
        const auto size = static_cast<std::int64_t>(bytes.size());
        world.broadcast(at::from_blob(bytes.data(), {size}, at::kByte), 0);
      }));
}

}  // namespace stc::dist
