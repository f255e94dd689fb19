#include "dist/cores.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <set>

#include "monitoring/check.h"

namespace stc::dist {
namespace {

int core_number(const std::string& list, std::size_t begin, std::size_t end) {
  int number = -1;
  const auto [stop, error] = std::from_chars(list.data() + begin, list.data() + end, number);
  STC_CHECK(error == std::errc() && stop == list.data() + end && number >= 0,
            "the core list '{}' is not of the form 0-3,8",
            list);
  return number;
}

/// The cores near each rank's GPU that may be used.
std::vector<std::vector<int>> usable(const std::vector<int>& allowed,
                                     const std::vector<std::string>& near) {
  std::vector<std::vector<int>> all;
  for (const std::string& list : near) {
    const std::vector<int> listed = parse_core_list(list);
    auto& cores = all.emplace_back();
    std::set_intersection(
        listed.begin(), listed.end(), allowed.begin(), allowed.end(), std::back_inserter(cores));
  }
  return all;
}

}  // namespace

std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return {0};
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

std::vector<int> parse_core_list(const std::string& list) {
  std::set<int> cores;
  std::size_t begin = 0;
  const std::size_t size = list.find_last_not_of(" \n") + 1;  // npos + 1 is 0
  while (begin < size) {
    const std::size_t end = std::min(list.find(',', begin), size);
    const std::size_t dash = std::min(list.find('-', begin), end);
    const int first = core_number(list, begin, dash);
    const int last = dash < end ? core_number(list, dash + 1, end) : first;
    for (int core = first; core <= last; ++core) cores.insert(core);
    begin = end + 1;
  }
  return {cores.begin(), cores.end()};
}

std::string core_list_near(const std::string& pci_address, const std::string& sysfs) {
  std::ifstream file(sysfs + "/bus/pci/devices/" + pci_address + "/local_cpulist");
  std::string list;
  std::getline(file, list);
  return list;
}

std::vector<int> cores_of_rank(const std::vector<int>& allowed, int local_rank, int local_size) {
  STC_CHECK(!allowed.empty() && local_rank >= 0 && local_rank < local_size,
            "rank {} of {} on this host, with {} cores to share",
            local_rank,
            local_size,
            allowed.size());
  const auto cores = std::ssize(allowed);
  const auto first = cores * local_rank / local_size;
  const auto last = std::max(cores * (local_rank + 1) / local_size, first + 1);
  return {allowed.begin() + first, allowed.begin() + last};
}

std::vector<int> cores_of_rank(const std::vector<int>& allowed,
                               const std::vector<std::string>& near,
                               int local_rank) {
  const auto local_size = static_cast<int>(near.size());
  STC_CHECK(local_rank >= 0 && local_rank < local_size,
            "rank {} on this host, with the core lists of {} GPUs",
            local_rank,
            local_size);
  const auto cores = usable(allowed, near);
  const auto& mine = cores[local_rank];
  if (mine.empty()) return cores_of_rank(allowed, local_rank, local_size);
  const auto place = std::count(cores.begin(), cores.begin() + local_rank, mine);
  const auto sharers = std::count(cores.begin(), cores.end(), mine);
  return cores_of_rank(mine, static_cast<int>(place), static_cast<int>(sharers));
}

void bind_to(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  STC_CHECK(sched_setaffinity(0, sizeof set, &set) == 0,
            "this rank cannot be bound to its {} cores: {}",
            cores.size(),
            std::strerror(errno));
}

void check_gpu_for_each_rank(const std::string& host, int gpus, int ranks) {
  STC_CHECK_USAGE(
      ranks <= gpus,
      "{} has {} GPUs that this job may use, for {} ranks; NCCL hangs when two ranks share a GPU. "
      "Start one rank for each GPU (mpirun --map-by ppr:{}:node), or set run.device=cpu",
      host,
      gpus,
      ranks,
      std::max(gpus, 1));
}

}  // namespace stc::dist
