// What a report reads from files: text and JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "launcher/report/evaluations.h"

namespace stc::launcher {

/// Throws stc::Error (kBadData) if the file holds no JSON object.
nlohmann::ordered_json read_json_object(const std::string& path);

/// Nested objects give "outer.inner".
Facts facts_of(const nlohmann::ordered_json& json, const std::string& prefix = "");

}  // namespace stc::launcher
