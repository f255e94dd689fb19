// What this host gives to a process: memory, disk, file systems, drivers, programs.
#pragma once

#include <cstdint>
#include <string>

namespace stc::launcher {

struct Memory {
  std::int64_t total_bytes = 0;
  std::int64_t available_bytes = 0;
};
Memory host_memory();  ///< from /proc/meminfo

struct FileSystem {
  std::string kind;  ///< "ext4", "nfs", "lustre", ...; "type 0x…" if its name is unknown
  bool over_network = false;
  bool writable = false;        ///< for this user
  std::int64_t free_bytes = 0;  ///< for this user
  std::int64_t total_bytes = 0;
};
/// Throws stc::Error (kBadData) if `folder` is not a folder or cannot be read.
FileSystem file_system_of(const std::string& folder);

struct Limits {
  std::int64_t locked_bytes = -1;  ///< ulimit -l; -1: none
  std::int64_t open_files = -1;    ///< ulimit -n; -1: none
};
Limits process_limits();

/// Cores' worth of time from a cgroup's cpu.max ("200000 100000" is 2); 0 if there is no limit.
double cores_of_quota(const std::string& cpu_max);
double cgroup_cores();  ///< of the cgroup that this process sees as the root

struct Clock {
  std::string now;            ///< "2026-01-31 12:00:00 UTC"
  std::string source;         ///< "tsc", ...; empty if unknown
  bool synchronised = false;  ///< as an NTP client reports to the kernel
};
Clock host_clock();

int host_cores();             ///< of the whole host, not only those this process may use
std::string nvidia_driver();  ///< "580.65.06"; empty if none is loaded

/// What `command` prints to both streams; empty if it fails or takes longer than 5 seconds.
std::string output_of(const std::string& command);

}  // namespace stc::launcher
