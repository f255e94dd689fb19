// `stc bench loader`: how many samples a second the loader decodes and augments, without training.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/file.h"
#include "data/images/image.h"
#include "data/loading/loader.h"
#include "data/packing/pack_images.h"
#include "data/random.h"
#include "data/shards/shard_set.h"
#include "launcher/checks/bench.h"
#include "launcher/run_folder/scratch_folder.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string shards;
  data::LoaderOptions loader;
  std::int64_t size = 0, batch = 32, steps = 20;
  bool json = false;
};

// Waves with noise: a JPEG of about the size that a photograph has.
data::Image synthetic_image(std::uint64_t index) {
  data::Image image{375, 500, std::vector<std::uint8_t>(std::size_t{3} * 375 * 500)};
  data::CounterRandom random(0, data::Purpose::kSyntheticClip, 0, index);
  const double across = random.uniform(0.01, 0.1), down = random.uniform(0.01, 0.1);
  std::size_t i = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        const double wave = 128 + 90 * std::sin(across * x + down * y + channel);
        image.pixels[i++] = static_cast<std::uint8_t>(wave + random.uniform(-30, 30));
      }
    }
  }
  return image;
}

std::string synthetic_shards(const std::string& folder) {
  constexpr int kImages = 64, kQuality = 90;
  fs::create_directory(folder + "/images");
  for (int i = 0; i < kImages; ++i)
    data::write_file(folder + text("/images/{}.jpg", i),
                     data::encode_jpeg(synthetic_image(i), kQuality));
  data::PackOptions options;
  options.out = folder + "/shards";
  data::pack_images({folder + "/images"}, options);
  return options.out;
}

struct Cost {
  double seconds, cpu_seconds;  // of all steps
};

// The first batches fill what is held ready, and are not timed.
template <typename Batch>
Cost cost_of(data::Loader<Batch>& loader, const Arguments& arguments) {
  for (int i = 0; i <= arguments.loader.prefetch; ++i) loader.next();
  const auto start = std::chrono::steady_clock::now();
  const auto cpu_start = std::clock();
  for (std::int64_t step = 0; step < arguments.steps; ++step) loader.next();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return {taken.count(), static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC};
}

int measure(Arguments arguments) {
  log::open(0, 1);
  std::unique_ptr<ScratchFolder> folder;
  if (arguments.shards.empty()) {
    folder = std::make_unique<ScratchFolder>(temporary_parent(), "synthetic shards (TMPDIR)");
    arguments.shards = synthetic_shards(folder->path());
  }
  const bool images = data::ShardSet::open(arguments.shards)->kind() == data::ShardKind::kImages;
  data::SampleWindow window;
  window.batch_size = arguments.batch;
  data::ImageOptions image_options;
  data::ClipOptions clip_options;
  if (arguments.size != 0) image_options.size = clip_options.size = arguments.size;
  const auto cost = images
                        ? cost_of(*data::make_image_loader(
                                      arguments.shards, arguments.loader, image_options, window, 0),
                                  arguments)
                        : cost_of(*data::make_clip_loader(
                                      arguments.shards, arguments.loader, clip_options, window, 0),
                                  arguments);
  const double samples = static_cast<double>(arguments.batch * arguments.steps);
  nlohmann::ordered_json result;
  result["benchmark"] = "loader";
  result["samples"] = images ? "two views of an image" : "two frames of a video";
  result["size"] = images ? image_options.size : clip_options.size;
  result["batch"] = arguments.batch;
  result["workers"] = arguments.loader.workers;
  result["samples_per_second"] = samples / cost.seconds;
  result["cpu_ms_per_sample"] = 1000 * cost.cpu_seconds / samples;
  if (!arguments.json) {
    std::cout << text("{}: {} samples/s ({}) with {} workers\n",
                      folder ? "synthetic photographs of 500 x 375" : arguments.shards,
                      std::lround(samples / cost.seconds),
                      result["samples"].get<std::string>(),
                      arguments.loader.workers);
  }
  std::cout << result.dump() << "\n";
  return 0;
}

}  // namespace

void add_bench_loader(CLI::App& bench, Action& action) {
  auto* command = bench.add_subcommand(
      "loader",
      "What the loader decodes and augments on this host, of one's own shards or synthetic ones");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option(
      "SHARDS", arguments->shards, "A packed data set; none: 64 synthetic photographs");
  command->add_option("--workers", arguments->loader.workers, "Decoding threads")
      ->check(CLI::Range(0, 1024));
  command
      ->add_option("--size", arguments->size, "Side of a crop in pixels; default: that of training")
      ->check(CLI::Range(32, 4096));
  command->add_option("--batch", arguments->batch, "Samples a batch")->check(CLI::Range(1, 65536));
  command->add_option("--steps", arguments->steps, "Timed batches")->check(CLI::Range(1, 1000000));
  command->add_flag("--json", arguments->json, "Print the JSON line alone");
  command->callback([arguments, &action] { action = [arguments] { return measure(*arguments); }; });
}

}  // namespace stc::launcher
