// The examples in the help of the evaluation commands are command lines that their parsers take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "launcher/commands.h"

namespace stc::launcher {
namespace {

void add_all(CLI::App& app, Action& action) {
  for (const auto add : {add_eval, add_sweep, add_propagate, add_score}) add(app, action);
}

/// What follows "stc " in each line of the footer that has it.
std::vector<std::string> examples_of(const CLI::App& command) {
  std::vector<std::string> examples;
  std::istringstream footer(command.get_footer());
  for (std::string line; std::getline(footer, line);)
    if (const auto stc = line.find("stc "); stc != std::string::npos)
      examples.push_back(line.substr(stc + 4));
  return examples;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  std::vector<const CLI::App*> commands;
  for (const auto* command : app.get_subcommands({})) {
    commands.push_back(command);
    for (const auto* inner : command->get_subcommands({})) commands.push_back(inner);
  }
  return commands;
}

TEST(EvaluationHelp, HasExamplesThatParse) {
  CLI::App app;
  Action action;
  add_all(app, action);
  const auto commands = commands_of(app);
  EXPECT_EQ(commands.size(), 10U);
  for (const auto* command : commands) {
    const auto examples = examples_of(*command);
    EXPECT_FALSE(examples.empty()) << command->get_name();
    for (const auto& example : examples) {
      CLI::App fresh;
      Action chosen;
      add_all(fresh, chosen);
      EXPECT_NO_THROW(fresh.parse(example)) << example;
      EXPECT_TRUE(chosen) << example;
    }
  }
}

TEST(EvaluationHelp, ShowsEveryOptionInItsGroup) {
  CLI::App app;
  Action action;
  add_all(app, action);
  for (const auto* command : commands_of(app))
    for (const auto* option : command->get_options())
      if (option != command->get_help_ptr() && !option->get_positional())
        EXPECT_THAT((std::vector<std::string>{"Input", "Output", "Method", "Machine"}),
                    testing::Contains(option->get_group()))
            << command->get_name() << " " << option->get_name();
}

}  // namespace
}  // namespace stc::launcher
