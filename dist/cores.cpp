#include "dist/cores.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "monitoring/check.h"

namespace stc::dist {

std::vector<int> parse_cores(const std::string& list) {
  std::vector<int> cores;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) {
    std::istringstream range(part);
    int first = -1, last = -1;
    char dash = 0;
    const bool begins = static_cast<bool>(range >> first);
    const bool single = !(range >> dash >> last);
    STC_CHECK(begins && first >= 0 && (single ? dash == 0 : dash == '-' && last >= first),
              "'",
              list,
              "' is no list of cores; expected e.g. 0-3,8");
    for (int core = first; core <= (single ? first : last); ++core) cores.push_back(core);
  }
  return cores;
}

std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

#ifndef STC_CUDA
std::string cores_near_gpu(int) { return ""; }
#endif

std::vector<int> cores_of_rank(const std::vector<int>& allowed,
                               const std::vector<std::string>& near_gpu,
                               int local_rank) {
  const auto& own = near_gpu.at(local_rank);
  const auto mates = std::count(near_gpu.begin(), near_gpu.end(), own);
  const auto place = std::count(near_gpu.begin(), near_gpu.begin() + local_rank, own);
  std::vector<int> shared;
  const auto near = parse_cores(own);
  std::copy_if(allowed.begin(), allowed.end(), std::back_inserter(shared), [&](int core) {
    return std::find(near.begin(), near.end(), core) != near.end();
  });
  if (shared.empty()) shared = allowed;
  const auto count = std::ssize(shared);
  if (count / mates < 2) return {};
  return {shared.begin() + count * place / mates, shared.begin() + count * (place + 1) / mates};
}

void bind_to(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  STC_CHECK(sched_setaffinity(0, sizeof set, &set) == 0,
            "this rank cannot be bound to its ",
            cores.size(),
            " cores: ",
            std::strerror(errno));
}

}  // namespace stc::dist
