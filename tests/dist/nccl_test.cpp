// The checks of every world on GPUs, over NCCL: a process and a GPU for each rank. Without them
// each test says what is missing and counts as skipped.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "dist/backends.h"
#include "dist/collective_log.h"
#include "dist/group_communicator.h"
#include "dist/run_together.h"
#include "dist/versions.h"
#include "monitoring/check.h"
#include "tests/dist/process_world.h"
#include "tests/dist/world_checks.h"

namespace stc::dist {
namespace {

using testing::HasSubstr;

bool built_with_cuda() { return !nccl_version().empty(); }

/// Empty where every rank of this host has a GPU.
std::string missing() {
  if (!built_with_cuda()) return "this build has no NCCL; build the preset `cuda`";
  const int ranks = session->world().local_size;
  const auto cards = static_cast<int>(gpus().size());
  if (cards < ranks) return text("NCCL needs {} GPUs for the ranks here; seen: {}", ranks, cards);
  return "";
}

/// make_communicator() gives a lone rank no NCCL: here it gets one, so that one GPU is enough to
/// run it.
std::shared_ptr<Communicator> make_gpu_world([[maybe_unused]] bool high_priority = false) {
#ifdef STC_CUDA
  constexpr std::chrono::seconds kTimeout(30);
  const World& ranks = session->world();
  const at::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(ranks.local_rank));
  const auto rendezvous = make_mpi_transport(kTimeout);
  return make_group_communicator(ranks,
                                 device,
                                 make_nccl_backend(*rendezvous, ranks, kTimeout, high_priority),
                                 session->log());
#else
  return nullptr;
#endif
}

class WorldOfGpus : public testing::TestWithParam<WorldCheck> {
 protected:
  void SetUp() override {
    const std::string reason = missing();
    if (!reason.empty()) GTEST_SKIP() << reason;
    if (!gpu_world_) gpu_world_ = make_gpu_world();
  }

  static void TearDownTestSuite() { gpu_world_.reset(); }

  static std::shared_ptr<Communicator> gpu_world_;
};

std::shared_ptr<Communicator> WorldOfGpus::gpu_world_;

TEST_P(WorldOfGpus, Holds) {
  const auto gpu = static_cast<c10::DeviceIndex>(session->world().local_rank);
  GetParam().body(*gpu_world_, at::Device(at::kCUDA, gpu));
}

// What a resumed training shares: NCCL refuses the counters, which lie on the host.
TEST_F(WorldOfGpus, TakesAStateThatLiesOnTwoDevices) {
  const auto gpu = static_cast<c10::DeviceIndex>(session->world().local_rank);
  const at::Device device(at::kCUDA, gpu);
  const auto host_ranks = make_communicator(*session, at::kCPU, {});
  const double own = host_ranks->rank() + 7;
  const std::map<std::string, at::Tensor> state = {
      {"first_moment.fc.bias", at::full({4}, own, at::TensorOptions(device))},
      {"steps", at::full({1}, own, at::kDouble)}};
  broadcast_state(*host_ranks, *gpu_world_, state);
  for (const auto& [name, tensor] : state) EXPECT_TRUE((tensor == 7).all().item<bool>()) << name;
}

// As step 2 does in backward: sums of batch norm pass buckets of gradients that are under way.
TEST_F(WorldOfGpus, HaveASecondGroupThatWorksBesideTheFirst) {
  const auto gpu = static_cast<c10::DeviceIndex>(session->world().local_rank);
  const at::Device device(at::kCUDA, gpu);
  const auto group = process_group_of(*gpu_world_);
  const auto urgent = make_gpu_world(/*high_priority=*/true);
  const double own = gpu_world_->rank() + 1, size = gpu_world_->size();
  for (int round = 0; round < 10; ++round) {
    std::vector<at::Tensor> bucket = {at::full({1 << 22}, own, at::TensorOptions(device))};
    const auto gradients = group->allreduce(bucket);
    const auto sums = at::full({64}, own, at::TensorOptions(device));
    urgent->all_reduce(sums);
    gradients->wait();
    EXPECT_TRUE((sums == size * (size + 1) / 2).all().item<bool>());
    EXPECT_TRUE((bucket[0] == size * (size + 1) / 2).all().item<bool>());
  }
}

// By it the ranks judge who is late: a number once all is complete, and no wait before.
TEST_F(WorldOfGpus, KnowHowLongTheCollectivesOfAStepTook) {
  const auto gpu = static_cast<c10::DeviceIndex>(session->world().local_rank);
  auto& log = *session->log();
  log.begin_step();
  gpu_world_->all_reduce(at::ones({1 << 20}, at::TensorOptions(at::Device(at::kCUDA, gpu))));
  log.begin_step();
  gpu_world_->barrier();
  log.poll();
  const auto seconds = log.last_step_device_seconds();
  ASSERT_TRUE(seconds);
  EXPECT_GT(*seconds, 0);
  EXPECT_LT(*seconds, 10);
}

std::vector<WorldCheck> of_every_world(std::vector<WorldCheck> checks) {
  std::erase_if(checks,
                [](const WorldCheck& check) { return check.promise != Promise::kOfEveryWorld; });
  return checks;
}

std::string name_of(const testing::TestParamInfo<WorldCheck>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Collectives,
                         WorldOfGpus,
                         testing::ValuesIn(of_every_world(collective_checks())),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Gradients,
                         WorldOfGpus,
                         testing::ValuesIn(of_every_world(gradient_checks())),
                         name_of);

TEST(MakeCommunicator, ForCudaSaysWhatThisHostOrBuildLacks) {
  if (missing().empty()) GTEST_SKIP() << "nothing is missing: a GPU for every rank";
  if (session->world().size == 1) GTEST_SKIP() << "a lone rank needs no NCCL; start two";
  try {
    make_communicator(
        *session, {at::kCUDA, static_cast<c10::DeviceIndex>(session->world().local_rank)}, {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_THAT(error.what(),
                HasSubstr(built_with_cuda() ? "NCCL hangs when two ranks share a GPU"
                                            : "this stc was built without CUDA"));
  }
}

}  // namespace
}  // namespace stc::dist
