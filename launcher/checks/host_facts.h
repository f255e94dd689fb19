// What this host gives to a process: memory, disk, file systems, drivers, programs.
#pragma once

#include <cstdint>
#include <string>

namespace stc::launcher {

struct Memory {
  std::int64_t total_bytes = 0;
  std::int64_t available_bytes = 0;
};
Memory host_memory();  ///< as /proc/meminfo says

struct FileSystem {
  std::string kind;  ///< "ext4", "nfs", "lustre", ...; "type 0x…" where it is not known by name
  bool over_network = false;
  bool writable = false;        ///< for this user
  std::int64_t free_bytes = 0;  ///< for this user
  std::int64_t total_bytes = 0;
};
/// Throws stc::Error (kBadData) where `folder` is none or cannot be read.
FileSystem file_system_of(const std::string& folder);

struct Limits {
  std::int64_t locked_bytes = -1;  ///< ulimit -l; -1: none
  std::int64_t open_files = -1;    ///< ulimit -n; -1: none
};
Limits process_limits();

/// Cores' worth of time from a cgroup's cpu.max ("200000 100000" is 2); 0 where there is no limit.
double cores_of_quota(const std::string& cpu_max);
double cgroup_cores();  ///< of this process, by the cgroup it sees as the root

struct Clock {
  std::string now;            ///< "2026-01-31 12:00:00 UTC"
  std::string source;         ///< "tsc", ...; empty where it is not said
  bool synchronised = false;  ///< the kernel is told so by an NTP client
};
Clock host_clock();

int host_cores();             ///< of the whole host, whatever this process may run on
std::string nvidia_driver();  ///< "580.65.06"; empty where none is loaded

/// What `program` prints to both streams, at most 5 seconds long; empty where it fails.
std::string output_of(const std::string& command);

}  // namespace stc::launcher
