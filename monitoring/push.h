// Results of a job that ends before it is scraped, left with a Prometheus Pushgateway. No
// prometheus-cpp in this header.
#pragma once

#include <map>
#include <string>

namespace stc::monitoring {

/// What an evaluation found: stc_evaluation_result{benchmark, weights, measure} and
/// stc_evaluation_timestamp_seconds. It replaces what was pushed for the same benchmark and
/// weights.
struct EvaluationNumbers {
  std::string benchmark, weights;
  std::map<std::string, double> measures;
};

/// `url`: http://HOST[:PORT], by default 9091. Throws stc::Error (kUsage).
void check_push_url(const std::string& url);

/// Empty if the gateway accepted them, else why not; the numbers are safe in their files.
std::string push(const std::string& url, const EvaluationNumbers& numbers);

}  // namespace stc::monitoring
