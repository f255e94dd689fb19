#include "launcher/report/labels.h"

#include <algorithm>
#include <set>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

constexpr std::string_view kSettings = "settings.";

/// What the scores depend on, which excludes how they were computed and how long it took.
bool changes_scores(const std::string& fact) {
  if (fact == "weights" || fact == "data") return true;
  static const std::set<std::string> computing = {
      "settings.ranks", "settings.threads", "settings.weights_crc32c", "settings.precision"};
  return fact.starts_with(kSettings) && !computing.contains(fact);
}

std::string value_of(const ReportedEvaluation& evaluation, const std::string& fact) {
  for (const auto& [name, value] : evaluation.facts)
    if (name == fact) return value;
  return "";
}

/// Facts that are not the same in all of them, in the order of the first that has them.
std::vector<std::string> differing_facts(const std::vector<ReportedEvaluation*>& group) {
  std::vector<std::string> differing;
  for (const auto* evaluation : group) {
    for (const auto& fact : evaluation->facts) {
      const auto& name = fact.first;
      const bool is_known = std::find(differing.begin(), differing.end(), name) != differing.end();
      if (is_known || !changes_scores(name)) continue;
      const bool is_same = std::all_of(group.begin(), group.end(), [&](const auto* other) {
        return value_of(*other, name) == fact.second;
      });
      if (!is_same) differing.push_back(name);
    }
  }
  return differing;
}

std::string settings_of(const ReportedEvaluation& evaluation,
                        const std::vector<std::string>& facts) {
  std::string list;
  for (const auto& fact : facts) {
    const auto value = value_of(evaluation, fact);
    if (value.empty()) continue;
    const auto name = fact.starts_with(kSettings) ? fact.substr(kSettings.size()) : fact;
    list += text("{}{} {}", list.empty() ? "" : ", ", name, value);
  }
  return list;
}

using Groups = std::map<std::pair<std::string, std::string>, std::vector<ReportedEvaluation*>>;

Groups by_label(Evaluations& evaluations) {
  Groups groups;
  for (auto& evaluation : evaluations)
    groups[{evaluation.benchmark, evaluation.label}].push_back(&evaluation);
  return groups;
}

}  // namespace

Evaluations with_distinct_labels(Evaluations evaluations) {
  for (const auto& [key, group] : by_label(evaluations)) {
    const auto facts = differing_facts(group);
    for (auto* evaluation : group) {
      const auto settings = settings_of(*evaluation, facts);
      if (!settings.empty()) evaluation->label += text(" ({})", settings);
    }
  }
  for (const auto& [key, group] : by_label(evaluations)) {
    if (group.size() == 1) continue;
    for (auto* evaluation : group) evaluation->label += text(" in {}", evaluation->path);
  }
  return evaluations;
}

}  // namespace stc::launcher
