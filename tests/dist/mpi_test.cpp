// The same checks with a process for each rank, over Open MPI. CTest starts it by mpirun, as it
// does nccl_test.cpp, which is part of this program.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cstdlib>

#include "dist/transport.h"
#include "monitoring/check.h"
#include "tests/dist/process_world.h"
#include "tests/dist/world_checks.h"

namespace stc::dist {

Session* session = nullptr;
Communicator* world = nullptr;

namespace {

class WorldOfProcesses : public testing::TestWithParam<WorldCheck> {};

TEST_P(WorldOfProcesses, Holds) { GetParam().body(*world, at::kCPU); }

std::string name_of(const testing::TestParamInfo<WorldCheck>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Collectives,
                         WorldOfProcesses,
                         testing::ValuesIn(collective_checks()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Gradients,
                         WorldOfProcesses,
                         testing::ValuesIn(gradient_checks()),
                         name_of);

TEST(Session, IsTheWorldThatMpirunMade) {
  EXPECT_EQ(session->world().launcher, "mpirun");
  EXPECT_EQ(std::to_string(session->world().rank), std::getenv("OMPI_COMM_WORLD_RANK"));
  EXPECT_EQ(std::to_string(session->world().size), std::getenv("OMPI_COMM_WORLD_SIZE"));
  EXPECT_EQ(std::to_string(session->world().local_rank), std::getenv("OMPI_COMM_WORLD_LOCAL_RANK"));
  EXPECT_EQ(std::to_string(session->world().local_size), std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE"));
}

TEST(MpiTransport, ACollectiveThatTakesTooLongIsALostRank) {
  const auto transport = make_mpi_transport(std::chrono::milliseconds(100));
  if (world->rank() == 0) {
    try {
      transport->barrier();
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kLostRank);
      EXPECT_THAT(error.what(), testing::HasSubstr("not complete after 0.1 s"));
    }
    world->barrier();
  } else {
    world->barrier();                              // rank 0 has given up
    if (world->size() == 2) transport->barrier();  // and its half of the barrier is still there
  }
}

}  // namespace
}  // namespace stc::dist

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  stc::dist::Session session;
  const auto world = stc::dist::make_communicator(session, at::kCPU, {});
  stc::dist::session = &session;
  stc::dist::world = world.get();
  return RUN_ALL_TESTS();
}
