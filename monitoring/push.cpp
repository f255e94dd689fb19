#include "monitoring/push.h"

#include <prometheus/gateway.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <chrono>
#include <regex>

#include "monitoring/check.h"

namespace stc::monitoring {
namespace {

struct Address {
  std::string host, port;  // the host with its http://
};

Address parse(const std::string& url) {
  static const std::regex form(R"((https?://[^/:]+)(?::(\d+))?/?)");
  std::smatch match;
  STC_CHECK_USAGE(std::regex_match(url, match, form),
                  "'{}' is not the address of a Pushgateway; expected http://HOST:PORT",
                  url);
  return {match[1], match[2].matched ? match[2].str() : "9091"};
}

// The gateway keeps groups apart by their path, so a slash in a name would be another group.
std::string as_part_of_a_path(std::string name) {
  std::replace_if(
      name.begin(),
      name.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; },
      '_');
  return name.empty() ? "_" : name;
}

}  // namespace

void check_push_url(const std::string& url) { parse(url); }

std::string push(const std::string& url, const EvaluationNumbers& numbers) {
  const auto address = parse(url);
  const auto registry = std::make_shared<prometheus::Registry>();
  auto& results = prometheus::BuildGauge()
                      .Name("stc_evaluation_result")
                      .Help("What an evaluation found, as in its results.json.")
                      .Register(*registry);
  for (const auto& [measure, value] : numbers.measures)
    results.Add({{"measure", measure}}).Set(value);
  prometheus::BuildGauge()
      .Name("stc_evaluation_timestamp_seconds")
      .Help("When the evaluation ended.")
      .Register(*registry)
      .Add({})
      .SetToCurrentTime();
  prometheus::Gateway gateway(address.host,
                              address.port,
                              "stc_eval",
                              {{"benchmark", as_part_of_a_path(numbers.benchmark)},
                               {"weights", as_part_of_a_path(numbers.weights)}});
  gateway.RegisterCollectable(registry);
  const int status = gateway.Push();
  if (status >= 200 && status < 300) return "";
  return status > 0 ? text("{} answered with HTTP status {}", url, status)
                    : text("nothing answers at {}", url);
}

}  // namespace stc::monitoring
