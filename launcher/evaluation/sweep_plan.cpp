#include "launcher/evaluation/sweep_plan.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "launcher/config/nearest_name.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

std::string at_line(const std::string& path, const toml::node& node) {
  return text("{}:{}: ", path, node.source().begin.line);
}

void check_keys(const toml::table& table,
                const std::vector<std::string>& known,
                const std::string& path,
                const std::string& section) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const auto nearest = nearest_name(name, known);
    STC_CHECK_USAGE(std::find(known.begin(), known.end(), name) != known.end(),
                    "{}unknown key {}{}{}",
                    at_line(path, node),
                    section,
                    name,
                    nearest.empty() ? "" : text("; did you mean {}?", nearest));
  }
}

std::string text_of(const toml::node& node, const std::string& path, const std::string& key) {
  const auto value = node.value<std::string>();
  STC_CHECK_USAGE(value.has_value(), "{}{} must be a string", at_line(path, node), key);
  return *value;
}

// As it would be written after "=" on the command line.
std::string value_text(const toml::node& node, const std::string& path, const std::string& key) {
  if (const auto value = node.value_exact<std::string>()) return *value;
  std::ostringstream out;
  if (const auto value = node.value_exact<std::int64_t>()) {
    out << *value;
  } else if (const auto number = node.value_exact<double>()) {
    out << *number;
  } else if (const auto flag = node.value_exact<bool>()) {
    out << (*flag ? "true" : "false");
  } else {
    throw Error(Exit::kUsage,
                text("{}{} must be a number, a string, true or false, or a list of these",
                     at_line(path, node),
                     key));
  }
  return out.str();
}

std::vector<std::string> weights_of(const toml::table& root, const std::string& path) {
  const auto* list = root["weights"].as_array();
  STC_CHECK_USAGE(
      list != nullptr && !list->empty(),
      "{}: weights is missing; expected a list: weights = [\"runs/step1\", \"runs/step2\"]",
      path);
  std::vector<std::string> weights;
  for (const auto& node : *list) weights.push_back(text_of(node, path, "an entry of weights"));
  return weights;
}

std::vector<BenchmarkSource> benchmarks_of(const toml::table& root, const std::string& path) {
  const auto* list = root["benchmark"].as_array();
  STC_CHECK_USAGE(list != nullptr && !list->empty(),
                  "{}: no [[benchmark]] section; expected at least one, with name and data",
                  path);
  std::vector<BenchmarkSource> benchmarks;
  for (const auto& node : *list) {
    const auto* table = node.as_table();
    STC_CHECK_USAGE(table != nullptr, "{}[[benchmark]] must be a section", at_line(path, node));
    check_keys(*table, {"name", "data", "split", "overlays"}, path, "benchmark.");
    for (const char* key : {"name", "data"})
      STC_CHECK_USAGE(
          table->contains(key), "{}this [[benchmark]] has no {}", at_line(path, node), key);
    BenchmarkSource source;
    source.name = text_of(*table->get("name"), path, "benchmark.name");
    source.data = text_of(*table->get("data"), path, "benchmark.data");
    if (table->contains("split"))
      source.split = text_of(*table->get("split"), path, "benchmark.split");
    source.overlays = (*table)["overlays"].value_or(false);
    benchmarks.push_back(source);
  }
  return benchmarks;
}

// The product of all lists; the last key varies fastest.
std::vector<SweepCombination> combinations_of(const toml::table& root, const std::string& path) {
  std::vector<SweepCombination> combinations(1);
  const auto* table = root["propagation"].as_table();
  if (table == nullptr) return combinations;
  for (const auto& [key, node] : *table) {
    const std::string name(key.str());
    const auto* list = node.as_array();
    STC_CHECK_USAGE(
        list == nullptr || !list->empty(), "{}propagation.{} is empty", at_line(path, node), name);
    std::vector<std::string> values;
    const auto add = [&](const toml::node& value) {
      values.push_back(value_text(value, path, "propagation." + name));
    };
    if (list == nullptr) {
      add(node);
    } else {
      for (const auto& entry : *list) add(entry);
    }
    std::vector<SweepCombination> product;
    for (const auto& combination : combinations) {
      for (const auto& value : values) {
        product.push_back(combination);
        product.back().overrides.push_back(text("--propagation.{}={}", name, value));
        if (values.size() > 1) product.back().swept.emplace_back(name, value);
      }
    }
    combinations = std::move(product);
  }
  return combinations;
}

}  // namespace

std::string SweepCombination::name() const {
  const auto word = [](const auto& swept_value) { return swept_value.first + swept_value.second; };
  auto name = joined(swept, word, "-");
  std::replace(name.begin(), name.end(), '/', '_');
  return name.empty() ? "default" : name;
}

SweepPlan read_sweep(const std::string& path) {
  STC_CHECK_USAGE(std::filesystem::is_regular_file(path), "{}: no such file", path);
  toml::table root;
  try {
    root = toml::parse_file(path);
  } catch (const toml::parse_error& cause) {
    throw Error(Exit::kUsage,
                text("{}:{}: not TOML: {}", path, cause.source().begin.line, cause.description()));
  }
  check_keys(root, {"out", "sort", "depth", "weights", "benchmark", "propagation"}, path, "");
  SweepPlan plan;
  STC_CHECK_USAGE(
      root.contains("out"), "{}: out is missing; expected a folder for the results", path);
  plan.out = text_of(*root.get("out"), path, "out");
  if (root.contains("sort")) plan.sort = text_of(*root.get("sort"), path, "sort");
  plan.depth = root["depth"].value_or(0);
  plan.weights = weights_of(root, path);
  plan.benchmarks = benchmarks_of(root, path);
  plan.combinations = combinations_of(root, path);
  return plan;
}

}  // namespace stc::launcher
