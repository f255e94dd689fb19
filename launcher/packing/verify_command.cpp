#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "data/shards/verify.h"
#include "launcher/commands.h"
#include "launcher/packing/count_progress.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

int verify(const std::string& folder, int threads) {
  CountProgress progress("verifying");
  data::VerifyOptions options;
  options.threads = threads;
  options.on_bad = [](const std::string& line) { std::puts(line.c_str()); };
  options.progress = [&](std::int64_t done, std::int64_t total) { progress.update(done, total); };
  const auto summary = data::verify_shards(folder, options);
  auto line = text("{}: {} entries", folder, summary.entries);
  if (summary.videos > 0)
    line += text(" of {}{}", summary.videos, summary.videos == 1 ? " video" : " videos");
  line += summary.bad == 0 ? text(", all good, digest {}", summary.digest)
                           : text(", {} bad", summary.bad);
  std::puts(line.c_str());
  return static_cast<int>(summary.bad == 0 ? Exit::kFine : Exit::kBadData);
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
  struct Arguments {
    std::string folder;
    int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  };
  auto* command = app.add_subcommand("verify", "Check every entry of a set of shards");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("DIR", arguments->folder, "Folder that `stc pack` wrote")->required();
  command->add_option("--threads", arguments->threads, "Entries decoded at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  command->callback([arguments, &action] {
    action = [arguments] { return verify(arguments->folder, arguments->threads); };
  });
}

}  // namespace stc::launcher
