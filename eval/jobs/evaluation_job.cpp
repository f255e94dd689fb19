#include "eval/jobs/evaluation_job.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "data/file.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

fs::path records_folder(const std::string& out) { return fs::path(out) / "records"; }

fs::path record_path(const std::string& out, const std::string& clip) {
  return records_folder(out) / (clip + ".json");
}
fs::path error_path(const std::string& out, const std::string& clip) {
  return records_folder(out) / (clip + ".error");
}

// The name of a clip may hold folders.
void write_below(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  data::write_text(path, content);
}

bool is_recorded(const Benchmark& benchmark, const std::string& clip) {
  return std::all_of(
      benchmark.variants().begin(), benchmark.variants().end(), [&](const Variant& variant) {
        return fs::exists(record_path(variant.out, clip));
      });
}

/// The last to start decides when the job ends, so it should be a short one.
std::vector<std::size_t> longest_first(const std::vector<Clip>& clips) {
  std::vector<std::size_t> order(clips.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return clips[a].frames > clips[b].frames;
  });
  return order;
}

void evaluate_clip(const Benchmark& benchmark,
                   std::size_t index,
                   const std::string& clip,
                   const OnFrame& on_frame) {
  for (const auto& variant : benchmark.variants()) fs::remove(error_path(variant.out, clip));
  const auto records = benchmark.evaluate(index, on_frame);
  for (std::size_t i = 0; i < records.size(); ++i)
    write_below(record_path(benchmark.variants()[i].out, clip), records[i].dump() + "\n");
}

}  // namespace

Json ClipSeconds::json() const {
  return {{"features", features},
          {"propagation", propagation},
          {"masks", masks},
          {"files", files},
          {"scoring", scoring}};
}

std::int64_t evaluate_clips(const Benchmark& benchmark, const JobOptions& options) {
  const auto clips = benchmark.clips();
  const auto order = longest_first(clips);
  std::int64_t passed_over = 0;
  for (auto ticket = options.next_ticket(); ticket < static_cast<std::int64_t>(order.size());
       ticket = options.next_ticket()) {
    const auto index = order[ticket];
    const auto& clip = clips[index].name;
    if (is_recorded(benchmark, clip)) {
      ++passed_over;
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
  return passed_over;
}

JobResult collect_records(const std::vector<Clip>& clips, const std::string& out) {
  JobResult result;
  for (const auto& clip : clips) {
    const auto path = record_path(out, clip.name);
    if (fs::exists(path)) {
      result.records.push_back(Json::parse(data::read_text(path)));
      continue;
    }
    result.records.push_back(nullptr);
    const auto error = error_path(out, clip.name);
    result.failed.push_back(fs::exists(error) ? data::read_text(error)
                                              : clip.name + ": was not evaluated");
  }
  return result;
}

void forget_records(const std::string& out) { fs::remove_all(records_folder(out)); }

}  // namespace stc::eval
