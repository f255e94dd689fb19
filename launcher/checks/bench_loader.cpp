// `stc bench loader`: how many samples per second the loader decodes and augments, without
// training.
#include <CLI/CLI.hpp>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/file.h"
#include "data/images/image.h"
#include "data/loading/loader.h"
#include "data/packing/pack.h"
#include "data/random.h"
#include "data/shards/shard_set.h"
#include "launcher/checks/bench.h"
#include "launcher/run_folder/scratch_folder.h"
#include "monitoring/check.h"
#include "monitoring/log.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string shards;
  data::LoaderOptions loader;
  int size = 0;
  std::int64_t batch = 32, steps = 20;
};

// Waves with noise, so that its JPEG is about as large as a photograph's.
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

// The first batches fill the prefetch queue and are not timed.
template <typename Batch>
Cost cost_of(data::Loader<Batch>& loader, const Arguments& arguments) {
  for (int i = 0; i <= arguments.loader.prefetch; ++i) loader.next();
  const Stopwatch stopwatch;
  const auto cpu_start = std::clock();
  for (std::int64_t step = 0; step < arguments.steps; ++step) loader.next();
  const double seconds = stopwatch.seconds();
  return {seconds, static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC};
}

int measure(Arguments arguments, bool json_only) {
  log::open(0, 1);
  std::unique_ptr<ScratchFolder> folder;
  if (arguments.shards.empty()) {
    folder = std::make_unique<ScratchFolder>(temporary_parent(), "synthetic shards (TMPDIR)");
    arguments.shards = synthetic_shards(folder->path());
  }
  const auto shards = data::ShardSet::open(arguments.shards);
  const bool images = shards->kind() == data::ShardKind::kImages;
  data::SampleWindow window;
  window.batch_size = arguments.batch;
  data::ImageOptions image_options;
  data::ClipOptions clip_options;
  if (arguments.size != 0) image_options.size = clip_options.size = arguments.size;
  const auto cost =
      images ? cost_of(*data::make_image_loader(shards, arguments.loader, image_options, window, 0),
                       arguments)
             : cost_of(*data::make_clip_loader(shards, arguments.loader, clip_options, window, 0),
                       arguments);
  const double samples = static_cast<double>(arguments.batch * arguments.steps);
  const char* sample = images ? "two views of an image" : "two frames of a video";
  print_measurement(text("{}: {} samples/s ({}) with {} workers",
                         folder ? "synthetic photographs of 500 x 375" : arguments.shards,
                         std::lround(samples / cost.seconds),
                         sample,
                         arguments.loader.workers),
                    {{"benchmark", "loader"},
                     {"samples", sample},
                     {"size", images ? image_options.size : clip_options.size},
                     {"batch", arguments.batch},
                     {"workers", arguments.loader.workers},
                     {"samples_per_second", samples / cost.seconds},
                     {"cpu_ms_per_sample", 1000 * cost.cpu_seconds / samples}},
                    json_only);
  return 0;
}

}  // namespace

Bench loader_bench(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option(
      "SHARDS", arguments->shards, "A packed data set; default: 64 synthetic photographs");
  command.option_defaults()->group("Method");
  command.add_option("--size", arguments->size, "Crop side in pixels; 0: as in training")
      ->check(CLI::Range(32, 4096));
  command.add_option("--batch", arguments->batch, "Samples per batch")->check(CLI::Range(1, 65536));
  command.add_option("--steps", arguments->steps, "Timed batches")->check(CLI::Range(1, 1000000));
  command.option_defaults()->group("Machine");
  command.add_option("--workers", arguments->loader.workers, "Decoding threads")
      ->check(CLI::Range(0, 1024));
  return [arguments](bool json_only) { return measure(*arguments, json_only); };
}

}  // namespace stc::launcher
