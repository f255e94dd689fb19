#include "launcher/supervision/prometheus_config.h"

#include <toml++/toml.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

toml::table read_config(const std::string& run) {
  const auto file = run + "/config.toml";
  STC_CHECK_USAGE(
      fs::exists(file),
      "{} is not a run folder: it has no config.toml; expected the run.dir of a training",
      run);
  try {
    return toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    throw Error(Exit::kUsage, text("{}: {}", file, error.description()));
  }
}

}  // namespace

std::string prometheus_config(const std::string& run, const std::string& rules) {
  const auto table = read_config(run);
  const auto metrics = table["metrics"];
  STC_CHECK_USAGE(metrics["port"].value_or(std::string()) != "off",
                  "metrics are switched off in {} (metrics.port is off); nothing can be watched",
                  run);
  nlohmann::ordered_json job;
  job["job_name"] = "stc";
  job["file_sd_configs"] = {
      {{"files", {fs::absolute(run) / "file_sd.json"}}, {"refresh_interval", "2s"}}};
  if (const auto user = metrics["user"].value_or(std::string()); !user.empty()) {
    const auto password = metrics["password_file"].value_or(std::string());
    job["basic_auth"] = {{"username", user}, {"password_file", fs::absolute(password)}};
  }
  // Every JSON is YAML.
  nlohmann::ordered_json config;
  config["global"] = {{"scrape_interval", "2s"}, {"evaluation_interval", "2s"}};
  config["rule_files"] = {fs::absolute(rules)};
  config["scrape_configs"] = {job};
  return config.dump(1) + "\n";
}

}  // namespace stc::launcher
