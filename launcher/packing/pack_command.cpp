// `stc pack` and `stc verify`: sets of shards.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "data/packing/pack.h"
#include "data/shards/verify.h"
#include "launcher/commands.h"
#include "monitoring/check.h"
#include "monitoring/printable.h"
#include "monitoring/progress.h"

namespace stc::launcher {
namespace {

struct PackArguments {
  std::vector<std::string> sources;
  data::PackOptions options;
};

using Packer = data::PackSummary (*)(const std::vector<std::string>&, const data::PackOptions&);

struct Kind {
  const char* name;
  const char* help;
  const char* sources;
  const char* examples;
  Packer packer;
};

constexpr Kind kImages = {
    "images",
    "Pack folders of images, searched recursively, and lists of images",
    "Folders, images, or text files with one path per line",
    "Examples:\n"
    "  stc pack images photos --out shards\n"
    "  stc pack images photos more.txt --out shards --max-side 512 --skip-bad",
    data::pack_images};

constexpr Kind kVideos = {
    "videos",
    "Pack video files and folders of frames",
    "Video files, folders of images (one video each), or folders of such, searched recursively",
    "Examples:\n"
    "  stc pack videos clips --out shards\n"
    "  stc pack videos a.mp4 b.mp4 --out shards --max-side 480 --force",
    data::pack_videos};

int all_cores() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

std::string counted(std::int64_t number, const std::string& noun) {
  return text("{} {}{}", number, noun, number == 1 ? "" : "s");
}

void print_line(const std::string& line) { std::puts(printable(line).c_str()); }

int pack(const PackArguments& arguments, Packer packer) {
  auto options = arguments.options;
  data::PackSummary summary;
  {
    ProgressLine progress;
    options.progress = [&](std::int64_t done, std::int64_t total) {
      if (progress.is_due()) progress.draw(text("packing {}/{}", done, total));
    };
    summary = packer(arguments.sources, options);
  }
  const auto content =
      summary.videos > 0
          ? text("{} frames of {}", summary.entries, counted(summary.videos, "video"))
          : text("{} images", summary.entries);
  const auto shards = counted(summary.shards, "shard");
  auto line = text("{}: {} in {}, {} bytes", options.out, content, shards, summary.bytes);
  if (summary.skipped > 0) line += text("; {} bad left out", summary.skipped);
  print_line(line);
  print_line(text("found: {}, taken: {}", counted(summary.files, "file"), summary.taken));
  for (const auto& remark : summary.left_out) print_line("left out: " + remark.line());
  for (const auto& remark : summary.remarks) print_line("note: " + remark.line());
  return 0;
}

void add_options(CLI::App* app, const Kind& kind, PackArguments& arguments) {
  auto& options = arguments.options;
  options.threads = all_cores();
  app->option_defaults()->group("Input");
  app->add_option("SRC", arguments.sources, kind.sources)->required();
  app->add_flag("--skip-bad",
                options.skip_bad,
                "Leave out what cannot be read, naming it, instead of failing");
  if (kind.packer == data::pack_videos)
    app->add_option(
           "--fps",
           options.frames_per_second,
           "Take this many frames per second of video files, repeated or left out by their "
           "times; without it, each frame once")
        ->check(CLI::Range(0.01, 1000.0));
  app->option_defaults()->group("Output");
  app->add_option("--out", options.out, "Folder to write; it appears once it is complete")
      ->required();
  app->add_flag("--force", options.force, "Replace an earlier set in --out");
  app->option_defaults()->always_capture_default();
  app->add_option(
      "--shard-bytes", options.shard_bytes, "Start another shard once one holds this many bytes");
  app->option_defaults()->group("Method");
  app->add_flag("--apply-orientation",
                options.apply_orientation,
                "Turn images upright by their EXIF orientation (encodes those again)");
  app->add_option("--max-side",
                  options.max_side,
                  "Shrink larger images to this side in pixels (encodes those again); 0 keeps all");
  app->add_option("--quality", options.quality, "JPEG quality of what is encoded here, 1 to 100");
  app->option_defaults()->group("Machine");
  app->add_option("--threads", options.threads, "Images decoded at the same time");
}

void add_kind(CLI::App& pack_app, Action& action, const Kind& kind) {
  auto* app = pack_app.add_subcommand(kind.name, kind.help);
  const auto arguments = std::make_shared<PackArguments>();
  add_options(app, kind, *arguments);
  app->footer(kind.examples);
  app->callback([arguments, packer = kind.packer, &action] {
    action = [arguments, packer] { return pack(*arguments, packer); };
  });
}

struct VerifyArguments {
  std::string folder;
  int threads = all_cores();
};

data::VerifySummary verify_with_progress(const VerifyArguments& arguments) {
  ProgressLine progress;
  data::VerifyOptions options;
  options.threads = arguments.threads;
  options.on_bad = [&](const std::string& line) {
    progress.erase();
    print_line(line);
  };
  options.progress = [&](std::int64_t done, std::int64_t total) {
    if (progress.is_due()) progress.draw(text("verifying {}/{}", done, total));
  };
  return data::verify_shards(arguments.folder, options);
}

int verify(const VerifyArguments& arguments) {
  const auto summary = verify_with_progress(arguments);
  auto line = text("{}: {} entries", arguments.folder, summary.entries);
  if (summary.videos > 0) line += " of " + counted(summary.videos, "video");
  line += summary.bad == 0 ? text(", all good, digest {}", summary.digest)
                           : text(", {} bad", summary.bad);
  print_line(line);
  return static_cast<int>(summary.bad == 0 ? Exit::kFine : Exit::kBadData);
}

}  // namespace

void add_pack(CLI::App& app, Action& action) {
  auto* pack_app = app.add_subcommand("pack", "Pack images or videos into shards");
  pack_app->require_subcommand(1);
  pack_app->footer("Examples:\n  stc pack images photos --out shards");
  add_kind(*pack_app, action, kImages);
  add_kind(*pack_app, action, kVideos);
}

void add_verify(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "verify", "Check every entry of a set of shards; the exit code is 3 if any is bad");
  const auto arguments = std::make_shared<VerifyArguments>();
  command->option_defaults()->group("Input");
  command->add_option("DIR", arguments->folder, "Folder that `stc pack` wrote")->required();
  command->option_defaults()->group("Machine")->always_capture_default();
  command->add_option("--threads", arguments->threads, "Entries decoded at the same time")
      ->check(CLI::Range(1, 1024));
  command->footer("Examples:\n  stc verify shards");
  command->callback([arguments, &action] { action = [arguments] { return verify(*arguments); }; });
}

}  // namespace stc::launcher
