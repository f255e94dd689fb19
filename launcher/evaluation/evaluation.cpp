#include "launcher/evaluation/evaluation.h"

#include <unistd.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "data/file.h"
#include "dist/shared_counters.h"
#include "eval/jobs/evaluation_job.h"
#include "launcher/evaluation/frame_progress.h"
#include "launcher/version.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr char kJob[] = "job.json";
constexpr char kResults[] = "results.json";

// An evaluation that ended before it could write its job, or one that another job is beginning.
bool holds_only_a_lock(const std::string& out) {
  for (const auto& entry : fs::directory_iterator(out)) {
    const auto name = entry.path().filename().string();
    if (name != FolderLock::kFile && !name.starts_with(kJob)) return false;
  }
  return true;
}

// Jobs that share the folder may write it at the same time, all with the same content.
void write_job(const std::string& out, const ordered_json& job) {
  const auto path = fs::path(out) / kJob;
  const auto own = text("{}.{}", path.string(), ::getpid());
  data::write_text(own, json_text(job, 2) + "\n");
  fs::rename(own, path);
}

void check_same_job(const std::string& out, const ordered_json& job) {
  const auto path = (fs::path(out) / kJob).string();
  const auto earlier =
      ordered_json::parse(data::read_text(path), nullptr, /*allow_exceptions=*/false);
  STC_CHECK_USAGE(
      earlier.is_object(), "{}: is not readable; --force evaluates all clips again", path);
  for (const auto& [key, value] : job.items()) {
    const auto before = earlier.value(key, ordered_json());
    const auto now = escaped_json(value);
    STC_CHECK_USAGE(before == now,
                    "{} holds an evaluation with {} {}, this one has {}; name another folder, or "
                    "give --force to evaluate all clips again",
                    out,
                    key,
                    before.dump(),
                    now.dump());
  }
}

std::string hexadecimal(std::uint32_t value) {
  char buffer[16];
  std::snprintf(buffer, sizeof(buffer), "%08x", value);
  return buffer;
}

// Sums over clips, whichever ranks and starts evaluated them.
ordered_json timings_of(const std::vector<eval::Json>& records) {
  std::int64_t frames = 0;
  std::map<std::string, double> seconds;
  for (const auto& record : records) {
    frames += record.at("frames").get<std::int64_t>();
    for (const auto& [stage, taken] : record.at("seconds").items())
      seconds[stage] += taken.get<double>();
  }
  ordered_json timings = {{"frames", frames}};
  for (const char* stage : kStages) timings[text("{}_seconds", stage)] = seconds[stage];
  return timings;
}

ordered_json notes_of(const std::vector<eval::Json>& records) {
  auto notes = ordered_json::array();
  for (const auto& record : records)
    notes.insert(notes.end(), record.at("notes").begin(), record.at("notes").end());
  return notes;
}

at::Device device_of(const PropagationTrunk& trunk) {
  return trunk.network.parameters().front().second.device();
}

eval::Benchmark open_benchmark(const BenchmarkSource& source,
                               const PropagationTrunk& trunk,
                               const std::vector<EvaluationVariant>& variants) {
  eval::BenchmarkSetup setup{trunk.network, {}, variants.front().settings.input, source.overlays};
  for (const auto& variant : variants)
    setup.variants.push_back({variant.settings.video, variant.out});
  auto benchmark = find_benchmark(source.name).open(source, std::move(setup));
  // Before any clip is propagated.
  for (const auto& clip : benchmark.clips())
    STC_CHECK_DATA(source.keep_going || clip.fault.empty(), "{}", clip.fault);
  return benchmark;
}

// Creates OUT, or opens it again to resume: `job` holds all that its numbers depend on.
FolderLock open_evaluation_folder(const std::string& out, const ordered_json& job, FolderUse use) {
  STC_CHECK_USAGE(!fs::exists(out) || fs::is_directory(out),
                  "{}: is a file; expected a folder for the results",
                  out);
  std::error_code failed;
  fs::create_directories(out, failed);
  STC_CHECK(!failed, "{}: cannot be created: {}", out, failed.message());
  const bool is_new = fs::is_empty(out);
  FolderLock lock(
      out,
      "name another folder",
      use == FolderUse::kShare ? FolderLock::Kind::kShared : FolderLock::Kind::kExclusive);
  if (use == FolderUse::kRestart) {
    eval::forget_records(out);
  } else if (fs::exists(fs::path(out) / kJob)) {
    check_same_job(out, job);
  } else if (!is_new && !holds_only_a_lock(out)) {
    throw Error(Exit::kUsage,
                text("{}: is not empty, and holds no evaluation to resume; name another folder, or "
                     "give --force to overwrite what is there",
                     out));
  }
  // It might no longer be true.
  if (use != FolderUse::kShare) fs::remove(fs::path(out) / kResults, failed);
  write_job(out, job);
  return lock;
}

}  // namespace

Evaluation::Evaluation(BenchmarkSource source,
                       std::shared_ptr<const PropagationTrunk> trunk,
                       std::string label,
                       std::vector<EvaluationVariant> variants)
    : source_(std::move(source)),
      trunk_(std::move(trunk)),
      label_(std::move(label)),
      variants_(std::move(variants)),
      benchmark_(open_benchmark(source_, *trunk_, variants_)) {}

// All that the numbers depend on, so that a second start knows whether it may resume.
ordered_json Evaluation::job_json(const EvaluationVariant& variant) const {
  ordered_json job = {{"benchmark", source_.name},
                      {"data", fs::absolute(source_.data).lexically_normal().string()},
                      {"split", source_.split},
                      {"weights_crc32c", hexadecimal(trunk_->crc32c)},
                      {"depth", trunk_->network.options().depth},
                      {"precision", trunk_->precision},
                      {"overlays", source_.overlays}};
  job.update(settings_json(variant.settings));
  return job;
}

void Evaluation::open_folders(FolderUse use) {
  for (const auto& variant : variants_)
    locks_.push_back(open_evaluation_folder(variant.out, job_json(variant), use));
}

std::int64_t Evaluation::frames() const {
  std::int64_t frames = 0;
  for (const auto& clip : benchmark_.clips()) frames += clip.frames();
  return frames;
}

std::int64_t Evaluation::evaluate(const std::function<std::int64_t()>& next_ticket,
                                  const eval::OnFrame& on_frame) const {
  return eval::evaluate_clips(
      benchmark_,
      {.next_ticket = next_ticket, .on_frame = on_frame, .keep_going = source_.keep_going});
}

bool Evaluation::is_complete() const {
  const auto clips = benchmark_.clips();
  return std::ranges::all_of(variants_, [&](const EvaluationVariant& variant) {
    return eval::collect_records(clips, variant.out).failed.empty();
  });
}

std::vector<EvaluationResult> Evaluation::finish(int ranks) const {
  std::vector<EvaluationResult> results;
  for (const auto& variant : variants_) results.push_back(finish_variant(variant, ranks));
  return results;
}

EvaluationResult Evaluation::finish_variant(const EvaluationVariant& variant, int ranks) const {
  const auto clips = benchmark_.clips();
  auto found = eval::collect_records(clips, variant.out);
  STC_CHECK_DATA(found.failed.size() < clips.size(),
                 "none of the {} clips could be evaluated; the first: {}",
                 clips.size(),
                 found.failed.front());
  const auto tables = benchmark_.summarise(variant.out, found.records);
  std::erase(found.records, nullptr);  // clips that were left out
  ordered_json json = {{"benchmark", source_.name},
                       {"data", source_.data},
                       {"weights", trunk_->weights},
                       {"label", label_},
                       {"settings", settings_json(variant.settings)},
                       {"version", {{"stc", version()}, {"libtorch", libtorch_version()}}}};
  auto& settings = json["settings"];
  settings["depth"] = trunk_->network.options().depth;
  settings["split"] = source_.split;
  settings["weights_crc32c"] = hexadecimal(trunk_->crc32c);
  settings["precision"] = trunk_->precision;
  settings["device"] = device_of(*trunk_).is_cpu() ? "cpu" : "cuda";
  settings["ranks"] = ranks;
  settings["threads"] = at::get_num_threads();
  json.update(tables.numbers);
  json["score"] = {{"name", tables.score_name}, {"value", eval::json_of(tables.score)}};
  json["notes"] = notes_of(found.records);
  json["failed"] = found.failed;
  json["timings"] = timings_of(found.records);
  data::write_text(fs::path(variant.out) / "results.json", json_text(json, 2) + "\n");
  return {json, tables.text, found.failed, clips.size()};
}

std::string label_of_weights(const std::string& weights) {
  const auto path = fs::path(weights).lexically_normal();
  const auto name = path.stem().string();
  const bool is_generic = name == "weights" || name == "model";
  if (is_generic && path.has_parent_path()) return path.parent_path().filename().string();
  return name.empty() ? path.parent_path().filename().string() : name;
}

std::string describe(const PropagationTrunk& trunk, int stride) {
  return text("ResNet-{} stage 3, {} channels, stride {}, weights {} (crc32c {}), on {}",
              trunk.network.options().depth,
              trunk.network.channels(3),
              stride,
              trunk.weights,
              hexadecimal(trunk.crc32c),
              device_of(trunk).str());
}

std::shared_ptr<dist::Communicator> start_evaluation(const dist::Session& session,
                                                     std::int64_t threads) {
  constexpr double kNoTimeout = 30 * 86400;
  const auto& world = session.world();
  log::open(world.rank, world.size);
  const int share = world.owns_cores ? world.cores : std::max(1, world.cores / world.local_size);
  at::set_num_threads(threads > 0 ? static_cast<int>(threads) : share);
  return dist::make_communicator(session, at::kCPU, {kNoTimeout});
}

void evaluate_over_ranks(const std::vector<const Evaluation*>& evaluations,
                         dist::Communicator& world,
                         const EvaluationShare& share) {
  std::int64_t frames = 0, skipped = 0;
  for (const auto* evaluation : evaluations) frames += evaluation->frames();
  const auto counters = dist::open_shared_counters(world);
  {
    FrameProgress progress(frames);
    const auto on_frame = [&](const std::string& clip, std::int64_t frame, std::int64_t count) {
      progress.update(clip, frame, count, counters->add("frame", 1) + 1);
    };
    // A rank that finds no clip left continues with the next evaluation without waiting.
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
      const auto counter = text("clip of {}", i);
      skipped += evaluations[i]->evaluate(
          [&] { return share.index + share.count * counters->add(counter, 1); }, on_frame);
    }
  }
  // Waits for the last clip, and keeps rank 0 serving the counters until all are done with them.
  const auto by_all = at::full({1}, skipped, at::kLong);
  world.all_reduce(by_all);
  const auto earlier = by_all.item<std::int64_t>();
  if (earlier > 0) log::info("{} clips were evaluated by an earlier start", earlier);
}

}  // namespace stc::launcher
