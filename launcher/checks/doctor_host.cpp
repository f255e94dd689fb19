// What the host gives to a process, as `stc doctor` sees it.
#include <cstdint>
#include <cstdio>

#include "launcher/checks/doctor.h"
#include "launcher/checks/host_facts.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

std::string gib(std::int64_t bytes) {
  char words[32];
  std::snprintf(words, sizeof(words), "%.1f GiB", static_cast<double>(bytes) / (1LL << 30));
  return words;
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
  Finding finding{"this folder", text("{}, {} free", here.kind, gib(here.free_bytes))};
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
    finding.seen = text("{} on {}, {} free of {}",
                        folder,
                        there.kind,
                        gib(there.free_bytes),
                        gib(there.total_bytes));
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

// Ranks of one host hand gradients to each other there, and so do NCCL and Open MPI.
void look_at_shared_memory(Findings& findings) {
  constexpr std::int64_t kLeast = std::int64_t{512} << 20;
  Finding finding{"shared memory"};
  try {
    const FileSystem there = file_system_of("/dev/shm");
    finding.seen = text("/dev/shm, {} free of {}", gib(there.free_bytes), gib(there.total_bytes));
    if (there.free_bytes < kLeast || !there.writable) finding.verdict = Verdict::kWarning;
  } catch (const Error& error) {
    finding.seen = error.what();
    finding.verdict = Verdict::kWarning;
  }
  if (finding.verdict != Verdict::kFine)
    finding.advice =
        "ranks of one host meet there; in a container give --shm-size=8g or --ipc=host";
  findings.push_back(finding);
}

void look_at_limits(Findings& findings) {
  constexpr std::int64_t kLeastFiles = 1024, kLeastLocked = std::int64_t{64} << 10;
  const Limits limits = process_limits();
  const bool few = limits.open_files >= 0 && limits.open_files < kLeastFiles;
  const bool low = limits.locked_bytes >= 0 && limits.locked_bytes < kLeastLocked;
  Finding finding{
      "limits",
      text("open files {}, locked memory {}",
           limits.open_files < 0 ? "unlimited" : text("{}", limits.open_files),
           limits.locked_bytes < 0 ? "unlimited" : text("{} KiB", limits.locked_bytes >> 10))};
  if (few || low) {
    finding.verdict = Verdict::kWarning;
    finding.advice = few ? "shards and sockets need files: ulimit -n 65536"
                         : "InfiniBand needs locked memory: ulimit -l unlimited";
  } else if (limits.locked_bytes >= 0) {
    finding.advice = "with InfiniBand set ulimit -l unlimited (Slurm: PropagateResourceLimits)";
  }
  findings.push_back(finding);
}

void look_at_clock(Findings& findings) {
  const Clock clock = host_clock();
  findings.push_back(
      {"clock",
       text("{}{}{}",
            clock.now,
            clock.source.empty() ? "" : ", source " + clock.source,
            clock.synchronised ? ", synchronised" : ", not known to be synchronised"),
       Verdict::kFine,
       clock.synchronised ? ""
                          : "logs of several nodes are compared by time: run chrony or another NTP "
                            "client on each"});
}

}  // namespace

void look_at_host(const std::string& data_folder, Findings& findings) {
  look_at_memory(findings);
  look_at_shared_memory(findings);
  look_at_limits(findings);
  look_at_clock(findings);
  look_at_working_folder(findings);
  look_at_data(data_folder, findings);
}

}  // namespace stc::launcher
