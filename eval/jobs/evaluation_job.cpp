#include "eval/jobs/evaluation_job.h"

#include <algorithm>
#include <filesystem>

#include "data/file.h"
#include "eval/scores/clip_scores.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"
#include "monitoring/log.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

fs::path records_folder(const std::string& out) { return fs::path(out) / "records"; }

fs::path record_path(const std::string& out, const std::string& clip) {
  return data::with_suffix((records_folder(out) / clip).string(), ".json");
}
fs::path error_path(const std::string& out, const std::string& clip) {
  return data::with_suffix((records_folder(out) / clip).string(), ".error");
}

// The name of a clip may hold folders.
void write_below(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  data::write_text(path, content);
}

bool is_recorded(const Benchmark& benchmark, const std::string& clip) {
  return std::ranges::all_of(benchmark.variants(), [&](const Variant& variant) {
    return fs::exists(record_path(variant.out, clip));
  });
}

void evaluate_clip(const Benchmark& benchmark,
                   std::size_t index,
                   const std::string& clip,
                   const OnFrame& on_frame) {
  for (const auto& variant : benchmark.variants()) fs::remove(error_path(variant.out, clip));
  const auto records = benchmark.evaluate(index, on_frame);
  for (std::size_t i = 0; i < records.size(); ++i)
    write_below(record_path(benchmark.variants()[i].out, clip), json_text(records[i]) + "\n");
}

}  // namespace

std::int64_t evaluate_clips(const Benchmark& benchmark, const JobOptions& options) {
  const auto& clips = benchmark.clips();
  std::vector<std::int64_t> frames;
  for (const auto& clip : clips) frames.push_back(clip.frames());
  const auto order = longest_first(frames);
  std::int64_t skipped = 0;
  while (true) {
    const auto ticket = static_cast<std::size_t>(options.next_ticket());
    if (ticket >= order.size()) return skipped;
    const auto index = order[ticket];
    const auto& clip = clips[index].name;
    if (is_recorded(benchmark, clip)) {
      ++skipped;
      continue;
    }
    try {
      evaluate_clip(benchmark, index, clip, options.on_frame);
    } catch (const Error& error) {
      if (!options.keep_going || error.exit() != Exit::kBadData) throw;
      log::error("clip {} is left out: {}", clip, error.what());
      for (const auto& variant : benchmark.variants())
        write_below(error_path(variant.out, clip), error.what());
    }
  }
}

JobResult collect_records(const std::vector<Clip>& clips, const std::string& out) {
  JobResult result;
  for (const auto& clip : clips) {
    const auto path = record_path(out, clip.name);
    if (fs::exists(path)) {
      result.records.push_back(unescaped_json(Json::parse(data::read_text(path))));
      continue;
    }
    result.records.push_back(nullptr);
    const auto error = error_path(out, clip.name);
    result.failed.push_back(fs::exists(error) ? data::read_text(error)
                                              : text("{}: was not evaluated", clip.name));
  }
  return result;
}

void forget_records(const std::string& out) { fs::remove_all(records_folder(out)); }

}  // namespace stc::eval
