// JSON as text, whatever bytes its strings hold: names of files need not be UTF-8, JSON must be.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "monitoring/printable.h"

namespace stc {

/// The same with `change` applied to every string and key.
template <typename Json, typename Change>
Json with_strings(const Json& value, const Change& change) {
  if (value.is_string()) return change(value.template get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  Json copy = value.is_object() ? Json::object() : Json::array();
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) copy[change(key)] = with_strings(item, change);
  } else {
    for (const auto& item : value) copy.push_back(with_strings(item, change));
  }
  return copy;
}

/// What a reader of json_text() sees.
template <typename Json>
Json escaped_json(const Json& value) {
  return with_strings(value, escaped);
}

/// What was given to json_text(), of what a reader sees.
template <typename Json>
Json unescaped_json(const Json& value) {
  return with_strings(value, unescaped);
}

/// In one line, or indented by so many spaces.
template <typename Json>
std::string json_text(const Json& value, int indent = -1) {
  return escaped_json(value).dump(indent);
}

}  // namespace stc
