#include "launcher/checks/host_findings.h"

#include <cstdint>

#include "eval/scores/score_tables.h"
#include "launcher/checks/host_facts.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

std::string gib(std::int64_t bytes) {
  return eval::formatted("%.1f GiB", static_cast<double>(bytes) / (1LL << 30));
}

Finding memory_finding() {
  constexpr std::int64_t kMinimumBytes = std::int64_t{2} << 30;
  const Memory memory = host_memory();
  const bool low = memory.available_bytes < kMinimumBytes;
  return {"memory",
          gib(memory.available_bytes) + " free of " + gib(memory.total_bytes),
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
    finding.seen = text("{} on {}, {} free of {}",
                        folder,
                        there.kind,
                        gib(there.free_bytes),
                        gib(there.total_bytes));
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
    finding.seen = text("/dev/shm, {} free of {}", gib(there.free_bytes), gib(there.total_bytes));
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

}  // namespace

Findings host_findings(const std::string& data_folder) {
  Findings findings = {memory_finding(),
                       shared_memory_finding(),
                       limits_finding(),
                       clock_finding(),
                       working_folder_finding()};
  if (!data_folder.empty()) findings.push_back(data_finding(data_folder));
  return findings;
}

}  // namespace stc::launcher
