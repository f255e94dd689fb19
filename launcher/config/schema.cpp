#include "launcher/config/schema.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "launcher/config/nearest_name.h"
#include "monitoring/check.h"
#include "monitoring/printable.h"

namespace stc::launcher {
namespace {

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

// The value of an argument: TOML, else (a word, a path) a string as it is.
toml::table parse_argument_value(const std::string& value) {
  try {
    toml::table parsed = toml::parse("value = " + value);
    if (parsed.size() == 1 && value.find('\n') == std::string::npos) return parsed;
  } catch (const toml::parse_error&) {
    // Not a TOML value, so it is a string without quotes.
  }
  return toml::table{{"value", escaped(value)}};
}

bool is_quoted(const std::string& value) {
  return value.size() >= 2 && value.front() == value.back() &&
         (value.front() == '"' || value.front() == '\'');
}

using Keys = std::deque<ConfigKey>;

ConfigKey* find(Keys& keys, const std::string& name) {
  const auto found = std::find_if(
      keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> names(const Keys& keys) {
  std::vector<std::string> all;
  for (const ConfigKey& key : keys) all.push_back(key.name);
  return all;
}

// In the order they were first bound.
std::vector<std::string> sections(const Keys& keys) {
  std::vector<std::string> all;
  for (const ConfigKey& key : keys) {
    const std::string section = key.section();
    if (std::find(all.begin(), all.end(), section) == all.end()) all.push_back(section);
  }
  // Keys without a section must come before the first [section].
  std::stable_partition(
      all.begin(), all.end(), [](const std::string& name) { return name.empty(); });
  return all;
}

bool is_section(const Keys& keys, const std::string& name) {
  return std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& key) {
    return key.name.starts_with(name + ".");
  });
}

// The value of a TOML node, or nothing if it breaks the key's rule. An integer is a number, not the
// reverse.
std::optional<ConfigValue> value_of(const ConfigKey& key, const toml::node& node) {
  if (key.holds<bool>()) return node.value_exact<bool>();
  auto word = node.value_exact<std::string>();
  if (word) word = unescaped(*word);
  const bool is_listed =
      word && std::find(key.words.begin(), key.words.end(), *word) != key.words.end();
  if (key.holds<std::string>()) return is_listed || key.words.empty() ? word : std::nullopt;
  if (is_listed) return key.word_value;
  std::optional<ConfigValue> value = node.value_exact<std::int64_t>();
  if (key.holds<double>()) value = node.value<double>();
  return node.is_number() && value && key.in_range(*value) ? value : std::nullopt;
}

// A node as it would be written in a file, in one line.
std::string toml_text(const toml::node& node) {
  std::ostringstream out;
  out << toml::toml_formatter{node, toml::format_flags::allow_unicode_strings};
  std::string line = out.str();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

void set(const ConfigKey& key, const toml::node& node, const std::string& where) {
  const auto value = value_of(key, node);
  const std::string meaning = key.help.empty() ? "" : " (" + key.help + ")", seen = toml_text(node);
  STC_CHECK_USAGE(value, "{}{} is {}; expected {}{}", where, key.name, seen, key.rule(), meaning);
  key.write(*value);
}

void read_table(Keys& keys,
                const toml::table& table,
                const std::string& section,
                const std::string& path) {
  for (const auto& [entry, node] : table) {
    const std::string name = (section.empty() ? "" : section + ".") + std::string(entry.str());
    const std::string where = text("{}:{}: ", path, entry.source().begin.line);
    if (const ConfigKey* key = find(keys, name)) {
      set(*key, node, where);
    } else if (node.is_table() && is_section(keys, name)) {
      read_table(keys, *node.as_table(), name, path);
    } else {
      const bool as_section = node.is_table();
      throw Error(Exit::kUsage,
                  text("{}unknown {} '{}'; the nearest known is '{}'",
                       where,
                       as_section ? "section" : "key",
                       name,
                       nearest_name(name, as_section ? sections(keys) : names(keys))));
    }
  }
}

}  // namespace

std::optional<std::string> word_in(const std::string& resolved, const std::string& key) {
  const toml::table table = parse(resolved, "config.toml of the earlier run");
  const auto node = table.at_path(key);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  return node.value_exact<std::string>();
}

ConfigKey& ConfigSchema::add(ConfigKey key) {
  STC_CHECK(find(keys_, key.name) == nullptr, "config key {} is bound twice", key.name);
  key.default_value = key.read();
  return keys_.emplace_back(std::move(key));
}

void ConfigSchema::mark_operation(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool is_section = name.ends_with('.');
    bool found = false;
    for (ConfigKey& key : keys_) {
      if (key.name != name && !(is_section && key.name.starts_with(name))) continue;
      key.effect = Effect::kOperation;
      found = true;
    }
    STC_CHECK(found, "no key or section '{}' to mark as operation", name);
  }
}

void ConfigSchema::read(const std::string& path, const std::vector<std::string>& overrides) {
  if (!path.empty()) read_file(path);
  for (const std::string& argument : overrides) override_with(argument);
}

void ConfigSchema::read_file(const std::string& path) {
  read_table(keys_, parse(read_text(path), path), "", path);
}

void ConfigSchema::override_with(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  STC_CHECK_USAGE(argument.compare(0, 2, "--") == 0 && equals != std::string::npos && equals > 2,
                  "argument '{}' is not understood; a config key is set by --section.key=value",
                  argument);
  const std::string name = argument.substr(2, equals - 2);
  const std::string value = argument.substr(equals + 1);
  const ConfigKey* key = find(keys_, name);
  STC_CHECK_USAGE(key != nullptr,
                  "unknown key '{}' in {}; the nearest known is '{}'",
                  name,
                  argument,
                  nearest_name(name, names(keys_)));
  const bool as_it_is = key->holds<std::string>() && !is_quoted(value);
  const toml::table parsed =
      as_it_is ? toml::table{{"value", escaped(value)}} : parse_argument_value(value);
  set(*key, *parsed.get("value"), "");
}

std::string ConfigSchema::resolved() const {
  std::ostringstream out;
  for (const std::string& section : sections(keys_)) {
    if (!section.empty()) out << (out.tellp() > 0 ? "\n" : "") << "[" << section << "]\n";
    for (const ConfigKey& key : keys_) {
      if (key.section() != section) continue;
      out << key.leaf() << " = " << key.to_toml(key.read()) << "\n";
    }
  }
  return out.str();
}

std::string ConfigSchema::help() const {
  std::size_t widest_key = 0;
  std::size_t widest_rule = 0;
  const auto with_default = [](const ConfigKey& key) {
    return "  --" + key.name + "=" + key.to_toml(key.default_value);
  };
  const auto padded = [](const std::string& column, std::size_t widest) {
    return column + std::string(widest + 2 - column.size(), ' ');
  };
  for (const ConfigKey& key : keys_) {
    widest_key = std::max(widest_key, with_default(key).size());
    widest_rule = std::max(widest_rule, key.rule().size());
  }
  std::string out;
  for (const ConfigKey& key : keys_)
    out +=
        padded(with_default(key), widest_key) + padded(key.rule(), widest_rule) + key.help + "\n";
  return out;
}

std::vector<std::string> ConfigSchema::training_differences(const std::string& earlier_resolved,
                                                            const EarlierValues& read_as) const {
  const toml::table earlier = parse(earlier_resolved, "config.toml of the earlier run");
  std::vector<std::string> differences;
  for (const ConfigKey& key : keys_) {
    if (key.effect != Effect::kTraining) continue;
    const std::string here = key.to_toml(key.read());
    const toml::node* node = earlier.at_path(key.name).node();
    std::string there = "absent";
    if (const auto meant = read_as.find(key.name); meant != read_as.end()) {
      there = key.to_toml(meant->second);
    } else if (node != nullptr) {
      const auto value = value_of(key, *node);
      there = value ? key.to_toml(*value) : toml_text(*node);
    }
    if (there != here) {
      differences.push_back(stc::text("{}: {} there, {} here", key.name, there, here));
    }
  }
  return differences;
}

}  // namespace stc::launcher
