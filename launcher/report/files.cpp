#include "launcher/report/files.h"

#include "data/file.h"
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
      json.is_object(), "{}: is no JSON object; make the evaluation or the run again", path);
  return json;
}

void collect_facts(const Json& json, const std::string& prefix, Facts* facts) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      collect_facts(value, prefix + key + ".", facts);
    } else {
      facts->emplace_back(prefix + key, plain(value));
    }
  }
}

}  // namespace stc::launcher
