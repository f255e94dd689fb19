// "packing 120/795" on a terminal, nothing elsewhere.
#pragma once

#include <cstdint>
#include <string>

namespace stc::launcher {

class CountProgress {
 public:
  explicit CountProgress(const std::string& what);
  ~CountProgress();
  CountProgress(const CountProgress&) = delete;
  CountProgress& operator=(const CountProgress&) = delete;

  void update(std::int64_t done, std::int64_t total);

 private:
  std::string what_;
  bool is_terminal_;
  std::int64_t drawn_permille_ = -1;
};

}  // namespace stc::launcher
