// stc doctor: one screen on what this build and this host offer, and what is wrong with it.
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "data/versions.h"
#include "dist/communicator.h"
#include "dist/versions.h"
#include "launcher/commands.h"
#include "launcher/host_facts.h"
#include "launcher/version.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

enum class Verdict { kFine, kWarning, kBroken };

struct Finding {
  std::string topic;
  std::string seen = "";
  Verdict verdict = Verdict::kFine;
  std::string advice = "";  ///< what to do; also where nothing is wrong, if a user should know it
};

using Findings = std::vector<Finding>;

std::string gib(std::int64_t bytes) {
  char words[32];
  std::snprintf(words, sizeof(words), "%.1f GiB", static_cast<double>(bytes) / (1LL << 30));
  return words;
}

void look_at_ranks(const std::optional<dist::Session>& session, Findings& findings) {
  if (!session) return;
  const dist::World& world = session->world();
  const bool alone = world.launcher == "none";
  findings.push_back(
      {"launcher",
       alone ? "none: a world of one"
             : text(world.launcher,
                    ": ",
                    world.size,
                    " ranks, ",
                    world.local_size,
                    " on this host, MPI_THREAD_MULTIPLE"),
       Verdict::kFine,
       alone ? "`mpirun -np N --bind-to none stc doctor` shows what a job's ranks get" : ""});
  const bool starved = world.cores == 1 && host_cores() > 1;
  findings.push_back(
      {"cores of this rank",
       text(world.cores, " of ", host_cores()),
       starved ? Verdict::kWarning : Verdict::kFine,
       starved ? "loader threads share this one core with the model; mpirun: --bind-to none, srun: "
                 "--cpus-per-task"
               : ""});
}

void look_at_mpi(const std::string& mpi_error, Findings& findings) {
  const bool has_mpirun = !output_of("mpirun --version").empty();
  Finding mpi{"MPI", dist::mpi_version()};
  if (!mpi_error.empty()) {
    mpi.verdict = Verdict::kBroken;
    mpi.advice = mpi_error;
  } else if (!has_mpirun) {
    mpi.verdict = Verdict::kWarning;
    mpi.advice = "mpirun is not in PATH; many ranks need it (Debian: openmpi-bin), or srun";
  } else {
    mpi.advice =
        "to stop a job with a checkpoint send SIGUSR1 to mpirun; on SIGTERM it kills ranks after "
        "1 s (--mca odls_base_sigkill_timeout 60)";
  }
  findings.push_back(mpi);

  const std::string plugins = output_of("srun --mpi=list");
  const bool has_pmix = plugins.find("pmix") != std::string::npos;
  findings.push_back({"Slurm",
                      plugins.empty() ? "no working srun here"
                      : has_pmix      ? "srun with PMIx"
                                      : "srun without PMIx",
                      plugins.empty() || has_pmix ? Verdict::kFine : Verdict::kWarning,
                      plugins.empty() ? ""
                      : has_pmix
                          ? "start ranks by `srun --mpi=pmix`"
                          : "its ranks cannot find each other; start mpirun inside the job"});
}

void look_at_gpus(Findings& findings) {
  const std::string driver = nvidia_driver();
  const std::vector<dist::Gpu> gpus = dist::gpus();
  Finding cuda{"CUDA",
               built_with_cuda() ? "built in, NCCL " + dist::nccl_version() : "not built in"};
  Finding cards{"GPUs", text(gpus.size(), driver.empty() ? ", no driver" : ", driver " + driver)};
  for (const dist::Gpu& gpu : gpus) cards.seen += "; " + gpu.name;
  if (!built_with_cuda() && !driver.empty()) {
    cuda.verdict = Verdict::kWarning;
    cuda.advice = "this host has a GPU driver; build the preset `cuda` to use it";
  }
  if (built_with_cuda() && gpus.empty()) {
    cards.verdict = Verdict::kWarning;
    cards.advice = driver.empty() ? "runs on the CPU only; install the NVIDIA driver to use a GPU"
                                  : "the driver is there but gives no GPU; look at nvidia-smi and "
                                    "CUDA_VISIBLE_DEVICES";
  }
  findings.push_back(cuda);
  findings.push_back(cards);
}

void look_at_memory(Findings& findings) {
  constexpr std::int64_t kLeast = std::int64_t{2} << 30;
  const Memory memory = host_memory();
  const bool low = memory.available_bytes < kLeast;
  findings.push_back({"memory",
                      gib(memory.available_bytes) + " free of " + gib(memory.total_bytes),
                      low ? Verdict::kWarning : Verdict::kFine,
                      low ? "a small run needs about 2 GiB a rank" : ""});
}

void look_at_working_folder(Findings& findings) {
  constexpr std::int64_t kLeast = std::int64_t{1} << 30;
  const FileSystem here = file_system_of(".");
  Finding finding{"this folder", text(here.kind, ", ", gib(here.free_bytes), " free")};
  if (!here.writable) {
    finding.verdict = Verdict::kBroken;
    finding.advice = "cannot be written; relative paths such as runs/ start here";
  } else if (here.free_bytes < kLeast) {
    finding.verdict = Verdict::kWarning;
    finding.advice = "checkpoints need room: about 0.4 GiB each for ResNet-50 and its queue";
  }
  findings.push_back(finding);
}

void look_at_data(const std::string& folder, Findings& findings) {
  if (folder.empty()) return;
  Finding finding{"data"};
  try {
    const FileSystem there = file_system_of(folder);
    finding.seen = text(folder, " on ", there.kind);
    if (there.over_network) {
      finding.advice =
          "over a network: give the loader more threads, so that more reads are under way at once";
    }
  } catch (const Error& error) {
    finding.seen = error.what();
    finding.verdict = Verdict::kBroken;
    finding.advice = "name a folder that this user can read on every node";
  }
  findings.push_back(finding);
}

const char* word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFine:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    default:
      return "BROKEN";
  }
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
    if (!finding.advice.empty()) all += std::string(29, ' ') + "-> " + finding.advice + "\n";
  }
  return all;
}

Findings broken_of(const Findings& findings) {
  Findings broken;
  for (const Finding& finding : findings) {
    if (finding.verdict == Verdict::kBroken) broken.push_back(finding);
  }
  return broken;
}

int examine(const std::string& data_folder, bool json) {
  // A world that does not start is a finding here, not the end.
  std::optional<dist::Session> session;
  std::string mpi_error;
  try {
    session.emplace();
  } catch (const Error& error) {
    mpi_error = error.what();
  }
  Findings findings = {{"stc", version()},
                       {"LibTorch",
                        text(libtorch_version(),
                             ", ",
                             at::get_cpu_capability(),
                             ", threads: ",
                             at::get_num_threads())}};
  look_at_ranks(session, findings);
  look_at_mpi(mpi_error, findings);
  findings.push_back({"HDF5", data::hdf5_version()});
  findings.push_back({"OpenCV", data::opencv_version()});
  look_at_gpus(findings);
  look_at_memory(findings);
  look_at_working_folder(findings);
  look_at_data(data_folder, findings);

  const Findings broken = broken_of(findings);
  const bool fine = broken.empty();
  if (!session || session->world().rank == 0) {
    std::fputs((json ? as_json(findings, fine) : as_text(findings)).c_str(), stdout);
  } else if (!fine) {
    // Another host may lack what the first one has.
    std::fputs(text("rank ", session->world().rank, "\n", as_text(broken)).c_str(), stderr);
  }
  return static_cast<int>(fine ? Exit::kFine : Exit::kFailed);
}

}  // namespace

void add_doctor(CLI::App& app, Run& run) {
  struct Options {
    std::string data;
    bool json = false;
  };
  auto* command =
      app.add_subcommand("doctor", "Show what this build and this host offer, and what is wrong");
  const auto options = std::make_shared<Options>();
  command->add_option("--data", options->data, "A data folder whose file system is looked at");
  command->add_flag("--json", options->json, "For programs");
  command->callback(
      [options, &run] { run = [options] { return examine(options->data, options->json); }; });
}

}  // namespace stc::launcher
