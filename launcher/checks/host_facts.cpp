#include "launcher/checks/host_facts.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

struct FileSystemKind {
  std::int64_t magic;
  const char* name;
  bool over_network;
};

// Those that hold data sets; the numbers are the kernel's (statfs(2)).
constexpr FileSystemKind kKinds[] = {
    {0xEF53, "ext4", false},
    {0x58465342, "xfs", false},
    {0x9123683E, "btrfs", false},
    {0x2FC12FC1, "zfs", false},
    {0x01021994, "tmpfs", false},
    {0x794C7630, "overlay", false},
    {0x6969, "nfs", true},
    {0x0BD00BD0, "lustre", true},
    {0x19830326, "beegfs", true},
    {0x47504653, "gpfs", true},
    {0xFF534D42, "cifs", true},
    {0xFE534D42, "smb2", true},
    {0x00C36400, "ceph", true},
    {0x65735546, "fuse", true},
    {0x01021997, "9p", true},
};

std::string first_line_of(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

Memory host_memory() {
  Memory memory;
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t kib = 0;
  std::string rest;
  while (file >> name >> kib && std::getline(file, rest)) {
    if (name == "MemTotal:") memory.total_bytes = kib * 1024;
    if (name == "MemAvailable:") memory.available_bytes = kib * 1024;
  }
  return memory;
}

FileSystem file_system_of(const std::string& folder) {
  STC_CHECK_DATA(std::filesystem::is_directory(folder), "{} is not a folder", folder);
  STC_CHECK_DATA(access(folder.c_str(), R_OK | X_OK) == 0,
                 "{} cannot be read: {}",
                 folder,
                 std::strerror(errno));
  struct statfs facts {};
  STC_CHECK_DATA(
      statfs(folder.c_str(), &facts) == 0, "{}: statfs: {}", folder, std::strerror(errno));
  FileSystem result;
  const auto magic = static_cast<std::int64_t>(facts.f_type) & 0xFFFFFFFF;
  std::array<char, 24> unnamed{};
  std::snprintf(unnamed.data(), unnamed.size(), "type 0x%llx", static_cast<long long>(magic));
  result.kind = unnamed.data();
  for (const FileSystemKind& kind : kKinds) {
    if (kind.magic != magic) continue;
    result.kind = kind.name;
    result.over_network = kind.over_network;
  }
  result.writable = access(folder.c_str(), W_OK) == 0;
  result.free_bytes = static_cast<std::int64_t>(facts.f_bavail) * facts.f_bsize;
  result.total_bytes = static_cast<std::int64_t>(facts.f_blocks) * facts.f_bsize;
  return result;
}

Limits process_limits() {
  const auto limit_of = [](int resource) {
    rlimit limit{};
    if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return std::int64_t{-1};
    return limit.rlim_cur == RLIM_INFINITY ? std::int64_t{-1}
                                           : static_cast<std::int64_t>(limit.rlim_cur);
  };
  return {limit_of(RLIMIT_MEMLOCK), limit_of(RLIMIT_NOFILE)};
}

double cores_of_quota(const std::string& cpu_max) {
  std::istringstream words(cpu_max);
  double quota = 0, period = 0;
  return words >> quota >> period && period > 0 ? quota / period : 0;
}

double cgroup_cores() { return cores_of_quota(first_line_of("/sys/fs/cgroup/cpu.max")); }

Clock host_clock() {
  Clock clock;
  clock.source = first_line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  timex facts{};
  clock.synchronised = adjtimex(&facts) != TIME_ERROR;
  const std::time_t now = std::time(nullptr);
  std::array<char, 32> words{};
  std::strftime(words.data(), words.size(), "%Y-%m-%d %H:%M:%S UTC", std::gmtime(&now));
  clock.now = words.data();
  return clock;
}

int host_cores() { return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)); }

std::string nvidia_driver() {
  const auto line = first_line_of("/proc/driver/nvidia/version");
  std::smatch match;
  return std::regex_search(line, match, std::regex("[0-9]+\\.[0-9]+(\\.[0-9]+)?")) ? match.str()
                                                                                   : "";
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(("timeout 5 " + command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "";
  std::string output;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr) output += part.data();
  return pclose(pipe) == 0 ? output : "";
}

}  // namespace stc::launcher
