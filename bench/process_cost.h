// What one step of a benchmark costs this process, and how it is reported.
#pragma once

#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "monitoring/stopwatch.h"

namespace stc::bench {

/// A field of /proc/self/status ("VmHWM:", "VmRSS:"), in MB of 1024 kB; 0 if it is absent.
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

/// Peak memory is counted from here on.
inline void restart_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// {"seconds": ..., "cpu": ...} of `step`, the latter over all threads.
template <typename Step>
nlohmann::json cost_of(const Step& step) {
  const Stopwatch stopwatch;
  const auto cpu_start = std::clock();
  step();
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  return {{"seconds", stopwatch.seconds()}, {"cpu", cpu}};
}

/// Answers each line on standard input with what `step` returns, as a JSON line.
template <typename Step>
void answer_each_line(const Step& step) {
  for (std::string line; std::getline(std::cin, line);) std::cout << step().dump() << std::endl;
}

}  // namespace stc::bench
