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
#include "launcher/checks/host_facts.h"
#include "launcher/checks/host_findings.h"
#include "launcher/commands.h"
#include "launcher/version.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

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
  if (plugins.empty()) return {"Slurm", "no working srun here"};
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
    if (nvidia_driver().empty()) return finding;
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
  if (built_with_cuda() && gpus.empty()) {
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

const char* word(Verdict verdict) {
  constexpr const char* kWords[] = {"ok", "warning", "BROKEN"};
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
  return nlohmann::ordered_json{{"fine", fine}, {"findings", list}}.dump(2) + "\n";
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
  for (const Finding& finding : {mpi_finding(mpi_error),
                                 slurm_finding(),
                                 signals_finding(),
                                 hdf5_finding(),
                                 Finding{"OpenCV", data::opencv_version()},
                                 cuda_finding(),
                                 gpus_finding(gpus)})
    findings.push_back(finding);
  if (gpus.size() > 1) findings.push_back(peer_access_finding(gpus));
  const Findings host = host_findings(data_folder);
  findings.insert(findings.end(), host.begin(), host.end());
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
      "It exits with 1 if something is broken.");
  command->option_defaults()->group("Input");
  command->add_option("--data", options->data, "A data folder whose file system is examined");
  command->option_defaults()->group("Output");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback(
      [options, &action] { action = [options] { return examine(options->data, options->json); }; });
}

}  // namespace stc::launcher
