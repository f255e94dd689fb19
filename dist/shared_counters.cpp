#include "dist/shared_counters.h"

#include <ATen/ATen.h>

#include <chrono>
#include <map>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <utility>

#include "dist/rank_store.h"
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

}  // namespace

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
