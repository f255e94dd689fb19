#include "launcher/checks/measurement.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

namespace stc::launcher {

double fastest_after_warm_up(const std::vector<double>& seconds) {
  return *std::min_element(seconds.begin() + 1, seconds.end());
}

void print_measurement(const std::string& words,
                       const nlohmann::ordered_json& fields,
                       bool json_only) {
  if (!json_only) std::cout << words << "\n";
  std::cout << fields.dump() << "\n";
}

}  // namespace stc::launcher
