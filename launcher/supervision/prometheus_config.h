// What a Prometheus needs to know to watch one run.
#pragma once

#include <string>

namespace stc::launcher {

/// The content of prometheus.yml: scrapes every rank that `run`'s file_sd.json lists, with the
/// user and password file of its config.toml where it has some, and loads the rules of `rules`.
/// Paths are made absolute. Throws stc::Error (kUsage) where `run` is no run folder.
std::string prometheus_config(const std::string& run, const std::string& rules);

}  // namespace stc::launcher
