#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <exception>

#include "dist/collective_log.h"
#include "dist/communicator.h"
#include "dist/cores.h"
#include "dist/heartbeat.h"
#include "dist/transport.h"
#include "dist/versions.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Under `stc launch` nobody else binds. Threads that Open MPI has started already stay where they
// are; they mostly sleep.
World with_own_cores(World world) {
  std::vector<std::string> near(world.local_size);
  const auto cards = gpus();
  for (std::size_t r = 0; r < std::min(near.size(), cards.size()); ++r)
    near[r] = core_list_near(cards[r].pci_address);
  const auto own = cores_of_rank(allowed_cores(), near, world.local_rank);
  if (own.size() < 2) return world;  // compute and loader would share one core, with others idle
  bind_to(own);
  world.cores = static_cast<int>(own.size());
  world.owns_cores = true;
  return world;
}

/// Starting MPI outside a launcher would cost a daemon for a world of one: it is started only under
/// a launcher.
std::string launcher_name() {
  const bool in_slurm = !environment("SLURM_PROCID").empty();
  if (!environment("OMPI_COMM_WORLD_SIZE").empty()) return "mpirun";
  if (!environment("PMIX_RANK").empty()) return in_slurm ? "srun" : "mpirun";
  return "none";
}

// Without PMIx each task of srun is a world of one: all would train the same, into one folder.
void check_tasks_are_connected(const World& world) {
  const std::string tasks = environment("SLURM_STEP_NUM_TASKS");
  STC_CHECK_USAGE(
      world.size > 1 || world.launcher == "mpirun" || tasks.empty() || tasks == "1",
      "srun started {} tasks, but each task believes it is alone; start them with `srun "
      "--mpi=pmix` (`srun --mpi=list` shows whether this Slurm has it)",
      tasks);
}

/// Whether no other rank of this host may run on this rank's cores.
bool owns_its_cores(MPI_Comm host) {
  const auto own = allowed_cores();
  std::vector<int> ranks_of_core(CPU_SETSIZE);
  for (const int core : own) ranks_of_core[core] = 1;
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, ranks_of_core.data(), CPU_SETSIZE, MPI_INT, MPI_SUM, host),
            "MPI_Allreduce");
  return std::ranges::all_of(own, [&](int core) { return ranks_of_core[core] == 1; });
}

const char* thread_level_name(int level) {
  switch (level) {
    case MPI_THREAD_SINGLE:
      return "MPI_THREAD_SINGLE";
    case MPI_THREAD_FUNNELED:
      return "MPI_THREAD_FUNNELED";
    case MPI_THREAD_SERIALIZED:
      return "MPI_THREAD_SERIALIZED";
    default:
      return "MPI_THREAD_MULTIPLE";
  }
}

World start_mpi(World world) {
  int level = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &level), "MPI_Init_thread");
  STC_CHECK(
      level == MPI_THREAD_MULTIPLE,
      "this MPI provides {}; collectives run on their own thread and need MPI_THREAD_MULTIPLE. "
      "Use an Open MPI built with threads (`ompi_info | grep THREAD_MULTIPLE`)",
      thread_level_name(level));
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &world.rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &world.size), "MPI_Comm_size");

  MPI_Comm host = MPI_COMM_NULL;
  check_mpi(
      MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, world.rank, MPI_INFO_NULL, &host),
      "MPI_Comm_split_type");
  check_mpi(MPI_Comm_rank(host, &world.local_rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(host, &world.local_size), "MPI_Comm_size");
  world.owns_cores = owns_its_cores(host);
  check_mpi(MPI_Comm_free(&host), "MPI_Comm_free");
  return world;
}

}  // namespace

Session::Session() : log_(std::make_shared<CollectiveLog>()) {
  world_.cores = std::max(1, static_cast<int>(allowed_cores().size()));
  world_.launcher = launcher_name();
  world_.owns_cores = world_.launcher == "none";
  if (world_.launcher != "none") world_ = start_mpi(world_);
  check_tasks_are_connected(world_);
  if (std::getenv(kLaunchVariable) != nullptr) world_ = with_own_cores(world_);
}

// While an error unwinds, the other ranks may wait in a collective that this one will not enter;
// MPI_Finalize would then wait for them. Without it, the launcher ends them as soon as this
// process exits.
Session::~Session() {
  if (world_.launcher != "none" && std::uncaught_exceptions() == 0) MPI_Finalize();
}

void Session::abort(int code) {
  if (world_.launcher != "none") MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace stc::dist
