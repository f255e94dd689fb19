#include "launcher/config/schema.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "launcher/config/nearest_name.h"
#include "launcher/config/value.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

std::string section_of(const std::string& name) {
  return name.substr(0, name.rfind('.') == std::string::npos ? 0 : name.rfind('.'));
}

std::string read_text(const std::string& path) {
  std::ostringstream content;
  std::ifstream in(path, std::ios::binary);
  // Asking for a first character tells a folder, which opens but does not read, from an empty file.
  const bool is_empty = in.peek() == std::ifstream::traits_type::eof();
  STC_CHECK_USAGE(
      in.is_open() && !in.bad(), "config file {} cannot be read: {}", path, std::strerror(errno));
  if (!is_empty) content << in.rdbuf();
  return content.str();
}

toml::table parse(const std::string& content, const std::string& source) {
  try {
    return toml::parse(content, source);
  } catch (const toml::parse_error& cause) {
    throw Error(
        Exit::kUsage,
        text("{}:{}: not TOML: {}", source, cause.source().begin.line, cause.description()));
  }
}

// What stands right of "=" on the command line: TOML, else (a word, a path) a text as it is.
toml::table parse_argument_value(const std::string& value) {
  try {
    toml::table parsed = toml::parse("value = " + value);
    if (parsed.size() == 1 && value.find('\n') == std::string::npos) return parsed;
  } catch (const toml::parse_error&) {
    // Not a TOML value, so it is a text without quotes.
  }
  return toml::table{{"value", value}};
}

bool is_quoted(const std::string& value) {
  return value.size() >= 2 && value.front() == value.back() &&
         (value.front() == '"' || value.front() == '\'');
}

}  // namespace

struct ConfigSchema::State {
  std::vector<ConfigKey> keys;  // in the order they were bound

  void bind(ConfigKey key);
  ConfigKey* find(const std::string& name);
  bool is_section(const std::string& name) const;
  std::vector<std::string> names() const;
  std::vector<std::string> sections() const;  // in the order they were first bound
  void set(ConfigKey& key, const toml::node& node, const std::string& where);
  void read_table(const toml::table& table, const std::string& section, const std::string& path);
};

void ConfigSchema::State::bind(ConfigKey key) {
  STC_CHECK(find(key.name) == nullptr, "config key {} is bound twice", key.name);
  key.default_text = key.to_toml(key.current());
  keys.push_back(std::move(key));
}

ConfigKey* ConfigSchema::State::find(const std::string& name) {
  const auto found = std::find_if(
      keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

bool ConfigSchema::State::is_section(const std::string& name) const {
  return std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& key) {
    return key.name.compare(0, name.size() + 1, name + ".") == 0;
  });
}

std::vector<std::string> ConfigSchema::State::names() const {
  std::vector<std::string> all;
  for (const ConfigKey& key : keys) all.push_back(key.name);
  return all;
}

std::vector<std::string> ConfigSchema::State::sections() const {
  std::vector<std::string> all;
  for (const ConfigKey& key : keys) {
    const std::string section = section_of(key.name);
    if (std::find(all.begin(), all.end(), section) == all.end()) all.push_back(section);
  }
  // Keys without a section must stand before the first [section].
  std::stable_partition(
      all.begin(), all.end(), [](const std::string& name) { return name.empty(); });
  return all;
}

void ConfigSchema::State::set(ConfigKey& key, const toml::node& node, const std::string& where) {
  const auto value = key.accept(node);
  STC_CHECK_USAGE(value.has_value(),
                  "{}{} is {}; expected {}{}",
                  where,
                  key.name,
                  toml_text(node),
                  key.rule(),
                  key.help.empty() ? "" : " (" + key.help + ")");
  key.store(*value);
}

void ConfigSchema::State::read_table(const toml::table& table,
                                     const std::string& section,
                                     const std::string& path) {
  for (const auto& [entry, node] : table) {
    const std::string name = (section.empty() ? "" : section + ".") + std::string(entry.str());
    const std::string where = stc::text("{}:{}: ", path, entry.source().begin.line);
    if (ConfigKey* key = find(name)) {
      set(*key, node, where);
    } else if (node.is_table() && is_section(name)) {
      read_table(*node.as_table(), name, path);
    } else {
      const bool as_section = node.is_table();
      const std::string nearest = nearest_name(name, as_section ? sections() : names());
      throw Error(Exit::kUsage,
                  stc::text("{}unknown {} '{}'; the nearest known is '{}'",
                            where,
                            as_section ? "section" : "key",
                            name,
                            nearest));
    }
  }
}

ConfigSchema::ConfigSchema() : state_(std::make_unique<State>()) {}
ConfigSchema::~ConfigSchema() = default;

void ConfigSchema::integer(const std::string& key,
                           std::int64_t* field,
                           std::int64_t least,
                           std::int64_t most,
                           Effect effect,
                           const std::string& help) {
  ConfigKey bound{key, field, effect, help};
  bound.least_integer = least;
  bound.most_integer = most;
  state_->bind(std::move(bound));
}

void ConfigSchema::number(const std::string& key,
                          double* field,
                          double least,
                          double most,
                          Effect effect,
                          const std::string& help) {
  ConfigKey bound{key, field, effect, help};
  bound.least_number = least;
  bound.most_number = most;
  state_->bind(std::move(bound));
}

void ConfigSchema::boolean(const std::string& key,
                           bool* field,
                           Effect effect,
                           const std::string& help) {
  state_->bind(ConfigKey{key, field, effect, help});
}

void ConfigSchema::text(const std::string& key,
                        std::string* field,
                        const std::vector<std::string>& allowed,
                        Effect effect,
                        const std::string& help) {
  ConfigKey bound{key, field, effect, help};
  bound.words = allowed;
  state_->bind(std::move(bound));
}

void ConfigSchema::integer_or_word(const std::string& key,
                                   std::int64_t* field,
                                   std::int64_t least,
                                   std::int64_t most,
                                   const std::string& word,
                                   std::int64_t word_value,
                                   Effect effect,
                                   const std::string& help) {
  ConfigKey bound{key, field, effect, help};
  bound.least_integer = least;
  bound.most_integer = most;
  bound.words = {word};
  bound.word_value = word_value;
  state_->bind(std::move(bound));
}

void ConfigSchema::read_file(const std::string& path) {
  state_->read_table(parse(read_text(path), path), "", path);
}

void ConfigSchema::override_with(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  STC_CHECK_USAGE(argument.compare(0, 2, "--") == 0 && equals != std::string::npos && equals > 2,
                  "argument '{}' is not understood; a config key is set by --section.key=value",
                  argument);
  const std::string name = argument.substr(2, equals - 2);
  const std::string value = argument.substr(equals + 1);
  ConfigKey* key = state_->find(name);
  STC_CHECK_USAGE(key != nullptr,
                  "unknown key '{}' in {}; the nearest known is '{}'",
                  name,
                  argument,
                  nearest_name(name, state_->names()));
  const bool as_it_is = key->holds_text() && !is_quoted(value);
  const toml::table parsed = as_it_is ? toml::table{{"value", value}} : parse_argument_value(value);
  state_->set(*key, *parsed.get("value"), "");
}

std::string ConfigSchema::resolved() const {
  std::ostringstream out;
  for (const std::string& section : state_->sections()) {
    if (!section.empty()) out << (out.tellp() > 0 ? "\n" : "") << "[" << section << "]\n";
    for (const ConfigKey& key : state_->keys) {
      if (section_of(key.name) != section) continue;
      const std::string leaf = key.name.substr(section.empty() ? 0 : section.size() + 1);
      out << leaf << " = " << key.to_toml(key.current()) << "\n";
    }
  }
  return out.str();
}

std::string ConfigSchema::help() const {
  std::size_t widest_name = 0;
  std::size_t widest_rule = 0;
  for (const ConfigKey& key : state_->keys) {
    widest_name = std::max(widest_name, key.name.size() + key.default_text.size());
    widest_rule = std::max(widest_rule, key.rule().size());
  }
  std::ostringstream out;
  for (const ConfigKey& key : state_->keys) {
    const std::string setting = key.name + "=" + key.default_text;
    out << "  --" << setting << std::string(widest_name + 3 - setting.size(), ' ') << key.rule()
        << std::string(widest_rule + 2 - key.rule().size(), ' ') << key.help << "\n";
  }
  return out.str();
}

std::vector<std::string> ConfigSchema::training_differences(
    const std::string& earlier_resolved) const {
  const toml::table earlier = parse(earlier_resolved, "config.toml of the earlier run");
  std::vector<std::string> differences;
  for (const ConfigKey& key : state_->keys) {
    if (key.effect != Effect::kTraining) continue;
    const std::string here = key.to_toml(key.current());
    const toml::node* node = earlier.at_path(key.name).node();
    std::string there = "absent";
    if (node != nullptr) {
      const auto value = key.accept(*node);
      there = value ? key.to_toml(*value) : toml_text(*node);
    }
    if (there != here) {
      differences.push_back(stc::text("{}: {} there, {} here", key.name, there, here));
    }
  }
  return differences;
}

}  // namespace stc::launcher
