#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "data/packing/pack_images.h"
#include "data/packing/pack_videos.h"
#include "launcher/commands.h"
#include "launcher/packing/count_progress.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

struct PackArguments {
  std::vector<std::string> sources;
  data::PackOptions options;
};

using Packer = data::PackSummary (*)(const std::vector<std::string>&, const data::PackOptions&);

int pack(const PackArguments& arguments, Packer packer) {
  auto options = arguments.options;
  data::PackSummary summary;
  {
    CountProgress progress("packing");
    options.progress = [&](std::int64_t done, std::int64_t total) { progress.update(done, total); };
    summary = packer(arguments.sources, options);
  }
  auto line = text(
      "{}: {}{}", options.out, summary.entries, summary.videos > 0 ? " frames of " : " images in ");
  if (summary.videos > 0)
    line += text("{}{}", summary.videos, summary.videos == 1 ? " video in " : " videos in ");
  line += text("{}{}{} bytes",
               summary.shards,
               summary.shards == 1 ? " shard, " : " shards, ",
               summary.bytes);
  if (summary.skipped > 0) line += text("; {} bad left out", summary.skipped);
  std::puts(line.c_str());
  return 0;
}

void add_kind(CLI::App& pack_app,
              Action& action,
              const char* name,
              const char* help,
              const char* sources,
              Packer packer) {
  auto* app = pack_app.add_subcommand(name, help);
  const auto arguments = std::make_shared<PackArguments>();
  auto& options = arguments->options;
  options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  app->add_option("SRC", arguments->sources, sources)->required();
  app->add_option("--out", options.out, "Folder to write; it appears once it is whole")->required();
  app->add_flag("--force", options.force, "Replace a complete set of that name");
  app->add_flag(
      "--skip-bad", options.skip_bad, "Leave out what cannot be read, named, instead of failing");
  app->add_flag("--apply-orientation",
                options.apply_orientation,
                "Turn images upright by their EXIF orientation (encodes those anew)");
  app->add_option("--max-side",
                  options.max_side,
                  "Shrink larger images to this side in pixels (encodes those anew); 0 keeps all")
      ->capture_default_str();
  app->add_option("--quality", options.quality, "JPEG quality of what is encoded here, 1 to 100")
      ->capture_default_str();
  app->add_option(
         "--shard-bytes", options.shard_bytes, "A shard is closed once it holds this many bytes")
      ->capture_default_str();
  app->add_option("--threads", options.threads, "Images decoded at once")->capture_default_str();
  app->callback([arguments, packer, &action] {
    action = [arguments, packer] { return pack(*arguments, packer); };
  });
}

}  // namespace

void add_pack(CLI::App& app, Action& action) {
  auto* pack_app = app.add_subcommand("pack", "Pack images or videos into shards");
  pack_app->require_subcommand(1);
  add_kind(*pack_app,
           action,
           "images",
           "Image folders, searched recursively, and list files",
           "Folders, images, or text files with one path a line",
           data::pack_images);
  add_kind(*pack_app,
           action,
           "videos",
           "Video files and folders of frames",
           "Video files, folders of images (one video each), or folders of such",
           data::pack_videos);
}

}  // namespace stc::launcher
