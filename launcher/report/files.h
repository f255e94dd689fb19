// What a report reads from files, as texts and JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "launcher/report/evaluations.h"

namespace stc::launcher {

/// Throws stc::Error (kBadData) where the file holds no JSON object.
nlohmann::ordered_json read_json_object(const std::string& path);

/// Nested objects give "outer.inner".
void collect_facts(const nlohmann::ordered_json& json, const std::string& prefix, Facts* facts);

}  // namespace stc::launcher
