#include "launcher/evaluation/option_groups.h"

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace stc::launcher {

void group_propagation_options(CLI::App* command) {
  static const std::map<std::string, const char*> kGroups = {
      {"--weights", kInput}, {"--depth", kInput}, {"--device", kMachine}, {"--threads", kMachine}};
  const auto ungrouped = [&](const CLI::Option* option) {
    return option->get_group() == "Options" && option != command->get_help_ptr();
  };
  for (auto* option : command->get_options()) {
    if (!ungrouped(option)) continue;
    const auto group = kGroups.find(option->get_name());
    option->group(group == kGroups.end() ? kMethod : group->second);
  }
}

}  // namespace stc::launcher
