#include "launcher/report/files.h"

#include <algorithm>
#include <iterator>

#include "data/file.h"
#include "launcher/report/html.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

using Json = nlohmann::ordered_json;

std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return short_number(value.get<double>(), 4);
  return value.dump();
}

}  // namespace

Json read_json_object(const std::string& path) {
  auto json = Json::parse(data::read_text(path), nullptr, /*allow_exceptions=*/false);
  STC_CHECK_DATA(
      json.is_object(), "{}: is not a JSON object; run the evaluation or the training again", path);
  return json;
}

Facts facts_of(const Json& json, const std::string& prefix) {
  Facts facts;
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      std::ranges::copy(facts_of(value, prefix + key + "."), std::back_inserter(facts));
    } else {
      facts.emplace_back(prefix + key, plain(value));
    }
  }
  return facts;
}

}  // namespace stc::launcher
