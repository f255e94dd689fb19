// What one step of a benchmark costs this process, and how it is told.
#pragma once

#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

namespace stc::bench {

/// A field of /proc/self/status ("VmHWM:", "VmRSS:"), in MB of 1024 kB; 0 where it is not there.
inline double status_megabytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != field) continue;
    double kilobytes = 0;
    status >> kilobytes;
    return kilobytes / 1024;
  }
  return 0;
}

/// Peak memory counts from here.
inline void restart_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// {"seconds": ..., "cpu": ...} of `step`, the latter over all threads.
template <typename Step>
nlohmann::json cost_of(const Step& step) {
  const auto start = std::chrono::steady_clock::now();
  const auto cpu_start = std::clock();
  step();
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return {{"seconds", taken.count()}, {"cpu", cpu}};
}

/// For each line on standard input, until it ends, what `step` costs: a JSON line.
template <typename Step>
void answer_each_line(const Step& step) {
  for (std::string line; std::getline(std::cin, line);) std::cout << step().dump() << std::endl;
}

}  // namespace stc::bench
