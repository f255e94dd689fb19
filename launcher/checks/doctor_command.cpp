// stc doctor: one screen on what this build and this host offer, and what is wrong.
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "data/versions.h"
#include "dist/communicator.h"
#include "dist/versions.h"
#include "eval/scores/score_tables.h"
#include "launcher/checks/host_facts.h"
#include "launcher/commands.h"
#include "launcher/version.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"

namespace stc::launcher {
namespace {

/// kAbsent: not here, which is right on many hosts.
enum class Verdict { kFine, kAbsent, kWarning, kBroken };

struct Finding {
  std::string topic;
  std::string seen = "";
  Verdict verdict = Verdict::kFine;
  std::string advice = "";  ///< what to do; also when nothing is wrong but a user should know

  void lack(const std::string& what_for) { *this = {topic, seen, Verdict::kAbsent, what_for}; }
  void warn(const std::string& what_to_do) { *this = {topic, seen, Verdict::kWarning, what_to_do}; }
  void fail(const std::string& what_to_do) { *this = {topic, seen, Verdict::kBroken, what_to_do}; }
};

using Findings = std::vector<Finding>;

constexpr char kIndent[] = "                             ";  // below what was seen

Finding cores_finding(const dist::World& world) {
  const double quota = cgroup_cores();
  Finding finding{"cores of this rank", text("{} of {}", world.cores, host_cores())};
  if (quota > 0) finding.seen += text(", cgroup limit {}", quota);
  if (world.cores == 1 && host_cores() > 1) {
    finding.warn(
        "loader threads share this one core with the model; give mpirun --bind-to none, or srun "
        "--cpus-per-task");
  } else if (quota > 0 && quota < world.cores) {
    finding.warn(text(
        "threads beyond the limit are throttled: give --run.threads={} divided by the ranks of "
        "this host, or raise the container's CPU limit",
        std::max(1, static_cast<int>(quota))));
  }
  return finding;
}

Finding launcher_finding(const dist::World& world) {
  const bool alone = world.launcher == "none";
  return {"launcher",
          alone ? "none: a world of one"
                : text("{}: {} ranks, {} on this host, MPI_THREAD_MULTIPLE",
                       world.launcher,
                       world.size,
                       world.local_size),
          Verdict::kFine,
          alone ? "`mpirun -np N --bind-to none stc doctor` shows what a job's ranks get" : ""};
}

Finding mpi_finding(const std::string& mpi_error) {
  const bool has_mpirun = !output_of("mpirun --version").empty();
  Finding mpi{"MPI", dist::mpi_version()};
  if (!mpi_error.empty()) {
    mpi.fail(mpi_error);
  } else if (!has_mpirun) {
    mpi.warn("mpirun is not in PATH; many ranks need it (Debian: openmpi-bin), or srun");
  }
  if (output_of("ompi_info").find("MCA pmix") != std::string::npos) mpi.seen += ", with PMIx";
  return mpi;
}

Finding slurm_finding() {
  const std::string plugins = output_of("srun --mpi=list");
  if (plugins.empty())
    return {"Slurm",
            "no working srun here",
            Verdict::kAbsent,
            "needed on a Slurm cluster alone; elsewhere start ranks with `stc launch` or mpirun"};
  if (plugins.find("pmix") != std::string::npos)
    return {"Slurm", "srun with PMIx", Verdict::kFine, "start ranks with `srun --mpi=pmix`"};
  return {"Slurm",
          "srun without PMIx",
          Verdict::kWarning,
          "its ranks cannot find each other; start mpirun inside the job"};
}

Finding signals_finding() {
  return {
      "signals",
      "SIGTERM, SIGUSR1 and SIGINT to `stc launch` or to any one rank: all ranks save and stop",
      Verdict::kFine,
      "mpirun passes SIGUSR1 on, but on SIGTERM kills after 1 s (--mca odls_base_sigkill_timeout "
      "60); srun passes SIGUSR1 on, with -X Ctrl-C too, but on SIGTERM kills at once; scancel "
      "--signal"};
}

Finding cuda_finding() {
  const std::string loaded = dist::nccl_version();
  const std::string compiled = dist::nccl_header_version();
  Finding finding{"CUDA", "not built in"};
  if (!built_with_cuda()) {
    if (nvidia_driver().empty()) {
      finding.lack("this build computes on the CPU alone; for GPUs build the preset `cuda`");
      return finding;
    }
    finding.warn("this host has a GPU driver; build the preset `cuda` to use it");
    return finding;
  }
  finding.seen = text("built in, NCCL {} loaded, compiled against {}", loaded, compiled);
  if (loaded != compiled) {
    finding.warn("another libnccl is found first; check LD_LIBRARY_PATH and ldd");
  }
  return finding;
}

/// Whether GPUs reach each other's memory; without it NCCL goes through the host.
Finding peer_access_finding(const std::vector<dist::Gpu>& gpus) {
  Finding finding{"peer access", "between all GPUs"};
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < gpus.size(); ++i)
    if (gpus[i].peers.size() + 1 < gpus.size()) missing.push_back(i);
  if (missing.empty()) return finding;
  finding.seen = text("not from GPU {} to all others", joined(missing));
  finding.warn(
      "sums go through the host, which is slower; pass NVLink through to the virtual machine or "
      "container; `nvidia-smi topo -p2p r` shows why");
  return finding;
}

Finding gpus_finding(const std::vector<dist::Gpu>& gpus) {
  const std::string driver = nvidia_driver();
  Finding finding{"GPUs",
                  text("{}{}", gpus.size(), driver.empty() ? ", no driver" : ", driver " + driver)};
  for (const dist::Gpu& gpu : gpus)
    finding.seen += text("\n{}{} at {}", kIndent, gpu.name, gpu.pci_address);
  if (!built_with_cuda() && gpus.empty()) {
    finding.lack("found by a build with CUDA alone");
  } else if (gpus.empty()) {
    finding.warn(driver.empty() ? "runs on the CPU only; install the NVIDIA driver to use a GPU"
                                : "the driver is loaded but offers no GPU; check nvidia-smi and "
                                  "CUDA_VISIBLE_DEVICES");
  }
  return finding;
}

Finding hdf5_finding() {
  const bool safe = data::hdf5_is_thread_safe();
  return {"HDF5",
          data::hdf5_version() + (safe ? ", thread-safe" : ", not thread-safe"),
          Verdict::kFine,
          safe ? "" : "slower indexing only: images are read outside HDF5"};
}

std::string gib(std::int64_t bytes) {
  return eval::formatted("%.1f GiB", static_cast<double>(bytes) / (1LL << 30));
}

std::string free_of(std::int64_t free_bytes, std::int64_t total_bytes) {
  return gib(free_bytes) + " free of " + gib(total_bytes);
}

Finding memory_finding() {
  constexpr std::int64_t kMinimumBytes = std::int64_t{2} << 30;
  const Memory memory = host_memory();
  const bool low = memory.available_bytes < kMinimumBytes;
  return {"memory",
          free_of(memory.available_bytes, memory.total_bytes),
          low ? Verdict::kWarning : Verdict::kFine,
          low ? "a small run needs about 2 GiB per rank" : ""};
}

Finding working_folder_finding() {
  constexpr std::int64_t kMinimumBytes = std::int64_t{1} << 30;
  const FileSystem here = file_system_of(".");
  Finding finding{"this folder", text("{}, {} free", here.kind, gib(here.free_bytes))};
  if (!here.writable) {
    finding.fail(
        "cannot be written; relative paths such as runs/ start here: work in another folder");
  } else if (here.free_bytes < kMinimumBytes) {
    finding.warn("checkpoints need space: about 0.4 GiB each for ResNet-50 and its queue");
  }
  return finding;
}

Finding data_finding(const std::string& folder) {
  Finding finding{"data"};
  try {
    const FileSystem there = file_system_of(folder);
    finding.seen =
        text("{} on {}, {}", folder, there.kind, free_of(there.free_bytes, there.total_bytes));
    if (there.over_network) {
      finding.advice =
          "over a network: give the loader more threads, so that more reads are in flight";
    }
  } catch (const Error& error) {
    finding.seen = error.what();
    finding.fail("name a folder that this user can read on every node");
  }
  return finding;
}

// Ranks of one host exchange gradients there, and so do NCCL and Open MPI.
Finding shared_memory_finding() {
  constexpr std::int64_t kMinimumBytes = std::int64_t{512} << 20;
  Finding finding{"shared memory"};
  try {
    const FileSystem there = file_system_of("/dev/shm");
    finding.seen = "/dev/shm, " + free_of(there.free_bytes, there.total_bytes);
    if (there.free_bytes < kMinimumBytes || !there.writable) finding.verdict = Verdict::kWarning;
  } catch (const Error& error) {
    finding.seen = error.what();
    finding.verdict = Verdict::kWarning;
  }
  if (finding.verdict != Verdict::kFine)
    finding.advice =
        "ranks of one host exchange data there; in a container give --shm-size=8g or --ipc=host";
  return finding;
}

Finding limits_finding() {
  constexpr std::int64_t kMinimumFiles = 1024, kMinimumLockedBytes = std::int64_t{64} << 10;
  const Limits limits = process_limits();
  const bool few = limits.open_files >= 0 && limits.open_files < kMinimumFiles;
  const bool low = limits.locked_bytes >= 0 && limits.locked_bytes < kMinimumLockedBytes;
  Finding finding{
      "limits",
      text("open files {}, locked memory {}",
           limits.open_files < 0 ? "unlimited" : text("{}", limits.open_files),
           limits.locked_bytes < 0 ? "unlimited" : text("{} KiB", limits.locked_bytes >> 10))};
  if (few || low) {
    finding.warn(few ? "shards and sockets need files: ulimit -n 65536"
                     : "InfiniBand needs locked memory: ulimit -l unlimited");
  } else if (limits.locked_bytes >= 0) {
    finding.advice = "with InfiniBand set ulimit -l unlimited (Slurm: PropagateResourceLimits)";
  }
  return finding;
}

Finding clock_finding() {
  const Clock clock = host_clock();
  return {"clock",
          text("{}{}{}",
               clock.now,
               clock.source.empty() ? "" : ", source " + clock.source,
               clock.synchronised ? ", synchronised" : ", not known to be synchronised"),
          Verdict::kFine,
          clock.synchronised ? ""
                             : "logs of several nodes are compared by time: run chrony or another "
                               "NTP client on each"};
}

const char* word(Verdict verdict) {
  constexpr const char* kWords[] = {"ok", "absent", "warning", "BROKEN"};
  return kWords[static_cast<int>(verdict)];
}

std::string as_json(const Findings& findings, bool fine) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"topic", finding.topic},
                    {"seen", finding.seen},
                    {"verdict", word(finding.verdict)},
                    {"advice", finding.advice}});
  }
  return json_text(nlohmann::ordered_json{{"fine", fine}, {"findings", list}}, 2) + "\n";
}

std::string as_text(const Findings& findings) {
  std::string all;
  for (const Finding& finding : findings) {
    char line[64];
    std::snprintf(line, sizeof(line), "%-8s %-19s ", word(finding.verdict), finding.topic.c_str());
    all += line + finding.seen + "\n";
    if (!finding.advice.empty()) all += text("{}-> {}\n", kIndent, finding.advice);
  }
  return all;
}

Findings all_findings(const std::optional<dist::Session>& session,
                      const std::string& mpi_error,
                      const std::string& data_folder) {
  Findings findings = {{"stc", version()},
                       {"LibTorch",
                        text("{}, {}, threads: {}",
                             libtorch_version(),
                             at::get_cpu_capability(),
                             at::get_num_threads())}};
  if (session) {
    findings.push_back(launcher_finding(session->world()));
    findings.push_back(cores_finding(session->world()));
  }
  const std::vector<dist::Gpu> gpus = dist::gpus();
  findings.insert(findings.end(),
                  {mpi_finding(mpi_error),
                   slurm_finding(),
                   signals_finding(),
                   hdf5_finding(),
                   {"OpenCV", data::opencv_version()},
                   {"FFmpeg", data::ffmpeg_version()},
                   cuda_finding(),
                   gpus_finding(gpus)});
  if (gpus.size() > 1) findings.push_back(peer_access_finding(gpus));
  findings.insert(findings.end(),
                  {memory_finding(),
                   shared_memory_finding(),
                   limits_finding(),
                   clock_finding(),
                   working_folder_finding()});
  if (!data_folder.empty()) findings.push_back(data_finding(data_folder));
  return findings;
}

int examine(const std::string& data_folder, bool json) {
  // A world that does not start is reported, and the rest examined all the same.
  std::optional<dist::Session> session;
  std::string mpi_error;
  try {
    session.emplace();
  } catch (const Error& error) {
    mpi_error = error.what();
  }
  const Findings findings = all_findings(session, mpi_error, data_folder);
  Findings broken = findings;
  std::erase_if(broken, [](const Finding& f) { return f.verdict != Verdict::kBroken; });
  const bool fine = broken.empty();
  if (!session || session->world().rank == 0) {
    std::fputs((json ? as_json(findings, fine) : as_text(findings)).c_str(), stdout);
  } else if (!fine) {
    // Another host may lack what the first one has.
    std::fputs(text("rank {}\n{}", session->world().rank, as_text(broken)).c_str(), stderr);
  }
  return static_cast<int>(fine ? Exit::kFine : Exit::kFailed);
}

}  // namespace

void add_doctor(CLI::App& app, Action& action) {
  struct Options {
    std::string data;
    bool json = false;
  };
  auto* command =
      app.add_subcommand("doctor", "Show what this build and this host offer, and what is wrong");
  const auto options = std::make_shared<Options>();
  command->footer(
      "Examples:\n"
      "  stc doctor\n"
      "  stc doctor --data runs/demo/data/videos --json\n"
      "  mpirun -np 2 --bind-to none stc doctor\n"
      "`absent` is fine on hosts that do not need it; a `warning` slows or limits runs; with "
      "anything\n"
      "BROKEN it exits with 1.");
  command->option_defaults()->group("Input");
  command->add_option("--data", options->data, "A data folder whose file system is examined");
  command->option_defaults()->group("Output");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback(
      [options, &action] { action = [options] { return examine(options->data, options->json); }; });
}

}  // namespace stc::launcher
