#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "data/packing/pack.h"
#include "launcher/commands.h"
#include "monitoring/progress.h"
#include "monitoring/text.h"

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

std::string counted(std::int64_t number, const std::string& noun) {
  return text("{} {}{}", number, noun, number == 1 ? "" : "s");
}

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
  std::puts(text("{}: {} in {}, {} bytes{}",
                 options.out,
                 content,
                 counted(summary.shards, "shard"),
                 summary.bytes,
                 summary.skipped > 0 ? text("; {} bad left out", summary.skipped) : "")
                .c_str());
  return 0;
}

void add_options(CLI::App* app, const Kind& kind, PackArguments& arguments) {
  auto& options = arguments.options;
  options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  app->add_option("SRC", arguments.sources, kind.sources)->required()->group("Input");
  app->add_flag("--skip-bad",
                options.skip_bad,
                "Leave out what cannot be read, naming it, instead of failing")
      ->group("Input");
  app->add_option("--out", options.out, "Folder to write; it appears once it is complete")
      ->required()
      ->group("Output");
  app->add_flag("--force", options.force, "Replace an earlier set in --out")->group("Output");
  app->add_option(
         "--shard-bytes", options.shard_bytes, "Start another shard once one holds this many bytes")
      ->capture_default_str()
      ->group("Output");
  app->add_flag("--apply-orientation",
                options.apply_orientation,
                "Turn images upright by their EXIF orientation (encodes those again)")
      ->group("Method");
  app->add_option("--max-side",
                  options.max_side,
                  "Shrink larger images to this side in pixels (encodes those again); 0 keeps all")
      ->capture_default_str()
      ->group("Method");
  app->add_option("--quality", options.quality, "JPEG quality of what is encoded here, 1 to 100")
      ->capture_default_str()
      ->group("Method");
  app->add_option("--threads", options.threads, "Images decoded at the same time")
      ->capture_default_str()
      ->group("Machine");
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

}  // namespace

void add_pack(CLI::App& app, Action& action) {
  auto* pack_app = app.add_subcommand("pack", "Pack images or videos into shards");
  pack_app->require_subcommand(1);
  pack_app->footer("Examples:\n  stc pack images photos --out shards");
  add_kind(*pack_app, action, kImages);
  add_kind(*pack_app, action, kVideos);
}

}  // namespace stc::launcher
