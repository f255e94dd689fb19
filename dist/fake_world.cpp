#include <ATen/ATen.h>

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "dist/backends.h"
#include "dist/group_communicator.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

using Tensors = std::vector<at::Tensor>;
using WorkPointer = c10::intrusive_ptr<c10d::Work>;

class FakeBackend : public c10d::Backend {
 public:
  using Backend::Backend;
  const std::string getBackendName() const override { return "fake"; }
  void shutdown() override {}
  void abort() override {}
  void setTimeout(std::chrono::milliseconds) override {}

  // As if all other ranks held zeros.
  WorkPointer allreduce(Tensors& tensors, const c10d::AllreduceOptions&) override {
    return complete(tensors);
  }

  WorkPointer broadcast(Tensors& tensors, const c10d::BroadcastOptions&) override {
    return complete(tensors);
  }

  // As if all ranks held what this one holds.
  WorkPointer _allgather_base(at::Tensor& output,
                              at::Tensor& input,
                              const c10d::AllgatherOptions&) override {
    output.view({size_, -1}).copy_(input.reshape({1, -1}).expand({size_, -1}));
    return complete({output});
  }

  // c10d's reducer asks for this form when it compares parameters.
  WorkPointer allgather(std::vector<Tensors>& outputs,
                        Tensors& inputs,
                        const c10d::AllgatherOptions&) override {
    for (at::Tensor& output : outputs.at(0)) output.copy_(inputs.at(0));
    return complete(outputs.at(0));
  }

  // As if all that comes in were rows of this rank.
  WorkPointer alltoall_base(at::Tensor& output,
                            at::Tensor& input,
                            std::vector<std::int64_t>&,
                            std::vector<std::int64_t>&,
                            const c10d::AllToAllOptions&) override {
    if (input.size(0) == 0) {
      output.zero_();
    } else {
      const auto rows = at::arange(output.size(0), at::kLong).remainder(input.size(0));
      output.copy_(input.index_select(0, rows));
    }
    return complete({output});
  }

  WorkPointer barrier(const c10d::BarrierOptions&) override { return complete({}); }

 private:
  static WorkPointer complete(const Tensors& results) {
    const auto future =
        c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()));
    future->markCompleted(c10::IValue(results));
    return c10d::Work::create_from_future(future);
  }
};

}  // namespace

std::shared_ptr<Communicator> make_fake_communicator(const World& world,
                                                     std::shared_ptr<CollectiveLog> log) {
  STC_CHECK(world.size >= 2 && world.rank >= 0 && world.rank < world.size,
            "a fake world of {} ranks, seen by rank {}; a world of one needs none",
            world.size,
            world.rank);
  auto backend = c10::make_intrusive<FakeBackend>(world.rank, world.size);
  return make_group_communicator(world, at::kCPU, std::move(backend), std::move(log));
}

}  // namespace stc::dist
