#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "data/shards/verify.h"
#include "launcher/commands.h"
#include "monitoring/check.h"
#include "monitoring/progress.h"

namespace stc::launcher {
namespace {

struct VerifyArguments {
  std::string folder;
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
};

data::VerifySummary verify_with_progress(const VerifyArguments& arguments) {
  ProgressLine progress;
  data::VerifyOptions options;
  options.threads = arguments.threads;
  options.on_bad = [&](const std::string& line) {
    progress.erase();
    std::puts(line.c_str());
  };
  options.progress = [&](std::int64_t done, std::int64_t total) {
    if (progress.is_due()) progress.draw(text("verifying {}/{}", done, total));
  };
  return data::verify_shards(arguments.folder, options);
}

int verify(const VerifyArguments& arguments) {
  const auto summary = verify_with_progress(arguments);
  auto line = text("{}: {} entries", arguments.folder, summary.entries);
  if (summary.videos > 0)
    line += text(" of {}{}", summary.videos, summary.videos == 1 ? " video" : " videos");
  line += summary.bad == 0 ? text(", all good, digest {}", summary.digest)
                           : text(", {} bad", summary.bad);
  std::puts(line.c_str());
  return static_cast<int>(summary.bad == 0 ? Exit::kFine : Exit::kBadData);
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "verify", "Check every entry of a set of shards; the exit code is 3 if any is bad");
  const auto arguments = std::make_shared<VerifyArguments>();
  command->add_option("DIR", arguments->folder, "Folder that `stc pack` wrote")
      ->required()
      ->group("Input");
  command->add_option("--threads", arguments->threads, "Entries decoded at the same time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024))
      ->group("Machine");
  command->footer("Examples:\n  stc verify shards");
  command->callback([arguments, &action] { action = [arguments] { return verify(*arguments); }; });
}

}  // namespace stc::launcher
