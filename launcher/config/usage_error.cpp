#include "launcher/config/usage_error.h"

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <vector>

#include "launcher/config/nearest_name.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// The innermost subcommand on the command line, whose options the user could have meant, and how it
// is called ("stc score davis").
struct ChosenCommand {
  const CLI::App* command;
  std::string path;
};

ChosenCommand chosen_command(const CLI::App& app) {
  ChosenCommand chosen{&app, "stc"};
  while (!chosen.command->get_subcommands().empty()) {
    chosen.command = chosen.command->get_subcommands().front();
    chosen.path += " " + chosen.command->get_name();
  }
  return chosen;
}

/// The commands below `app` that have an option: "`stc pack videos`, `stc propagate`".
std::string commands_with(const CLI::App& app, const std::string& path, const std::string& option) {
  std::string found;
  for (const CLI::App* command : app.get_subcommands({})) {
    const auto name = path + " " + command->get_name();
    const auto below = commands_with(*command, name, option);
    const bool has = option != "--help" && command->get_option_no_throw(option) != nullptr;
    for (const auto& one : {has ? "`" + name + "`" : "", below})
      if (!one.empty()) found += (found.empty() ? "" : ", ") + one;
  }
  return found;
}

std::string unexpected_argument(const CLI::App& app) {
  const std::string argument = app.remaining(true).front();
  const auto [command, path] = chosen_command(app);
  const bool is_option = argument.starts_with('-');
  std::vector<std::string> known;
  if (is_option) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  } else {
    known = command_names(*command);
  }
  const std::string name = argument.substr(0, argument.find('='));
  if (const auto others = is_option ? commands_with(app, "stc", name) : ""; !others.empty())
    return text(
        "'{}' is no option of `{}`, but of {}; `{} -h` lists its own", name, path, others, path);
  const std::string nearest = nearest_name(name, known);
  const char* kind = is_option ? "option" : known.empty() ? "argument" : "command";
  const std::string hint = nearest.empty() ? ";" : "; did you mean '" + nearest + "'?";
  return text("unknown {} '{}'{} `{} -h` lists every {}", kind, argument, hint, path, kind);
}

/// Whether the error is about the value of an option, wrong or missing. What follows it on the
/// command line has not been read yet.
bool is_of_an_option(const CLI::ParseError& error) {
  const bool is_of_a_value = dynamic_cast<const CLI::ValidationError*>(&error) != nullptr ||
                             dynamic_cast<const CLI::ConversionError*>(&error) != nullptr ||
                             dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr;
  return is_of_a_value && std::string(error.what()).find("--") != std::string::npos;
}

/// CLI11's sentences in ours; what it says besides stays.
std::string plain_words(const std::string& message) {
  static const std::pair<std::regex, const char*> kSentences[] = {
      {std::regex("(\\S+): Value (.*) not in range (\\S+) to (\\S+)"),
       "$1: '$2' is not a number from $3 to $4"},
      {std::regex("Could not convert: (\\S+) = (.*)"), "$1: '$2' is not a number"},
      {std::regex("(\\S+): (.*) not in \\{(.*)\\}"), "$1: '$2' is not one of $3"},
      {std::regex("(\\S+): \\d+ required .* missing"), "$1: its value is missing"},
  };
  for (const auto& [sentence, plain] : kSentences)
    if (std::regex_match(message, sentence)) return std::regex_replace(message, sentence, plain);
  return message;
}

bool is_number(const std::string& word, double* value) {
  char* end = nullptr;
  *value = std::strtod(word.c_str(), &end);
  return !word.empty() && *end == '\0';
}

}  // namespace

CLI::Validator above_zero() {
  const auto check = [](const std::string& word) {
    double value = 0;
    return is_number(word, &value) && value > 0 ? "" : text("'{}' is not a number above 0", word);
  };
  return {check, "POSITIVE"};
}

CLI::Validator zero_or_more() {
  const auto check = [](const std::string& word) {
    double value = 0;
    return is_number(word, &value) && value >= 0 ? "" : text("'{}' is not 0 or more", word);
  };
  return {check, "NONNEGATIVE"};
}

std::string what_is_wrong(const CLI::App& app, const CLI::ParseError& error) {
  if (!is_of_an_option(error) && !app.remaining(true).empty()) return unexpected_argument(app);
  const auto [command, path] = chosen_command(app);
  std::string names;
  for (const auto& name : command_names(*command)) names += (names.empty() ? "" : ", ") + name;
  if (names.empty())
    return text("{}; `{} -h` shows the usage", plain_words(first_line(error.what())), path);
  return text("'{}' needs a subcommand: {}; `{} -h` describes each", path, names, path);
}

}  // namespace stc::launcher
