// The configuration of a Prometheus that watches one run.
#pragma once

#include <string>

namespace stc::launcher {

/// The content of prometheus.yml: scrapes every rank that `run`'s file_sd.json lists, with the
/// user and password file of its config.toml if it has them, and loads the rules of `rules`.
/// Paths are made absolute. Throws stc::Error (kUsage) if `run` is not a run folder.
std::string prometheus_config(const std::string& run, const std::string& rules);

}  // namespace stc::launcher
