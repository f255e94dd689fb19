#include "launcher/run_folder/run_folder.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "data/file.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kConfig[] = "config.toml";
constexpr char kMetrics[] = "metrics.jsonl";
constexpr char kSummary[] = "summary.json";
constexpr char kRemedy[] = "choose another run.dir";

// A run that ended before it could write its config is one, too.
bool holds_a_run_or_nothing(const std::string& folder) {
  if (fs::exists(folder + "/" + kConfig)) return true;
  const std::set<std::string> early{FolderLock::kFile, "log", std::string(kConfig) + ".partial"};
  const fs::directory_iterator entries(folder);
  return std::all_of(begin(entries), end(entries), [&](const fs::directory_entry& entry) {
    return early.contains(entry.path().filename().string());
  });
}

void check_is_run_folder(const std::string& folder) {
  if (!fs::exists(folder)) return;
  STC_CHECK_USAGE(fs::is_directory(folder), "run.dir {} is a file; expected a folder", folder);
  STC_CHECK_USAGE(
      holds_a_run_or_nothing(folder),
      "run.dir {} is not empty and is not a run (it has no {}); choose a new or an empty folder",
      folder,
      kConfig);
}

void move_aside(const std::string& folder) {
  if (!fs::exists(folder) || fs::is_empty(folder)) return;
  const FolderLock lock(folder, kRemedy);  // a live job's folder stays where it is
  int number = 1;
  while (fs::exists(text("{}.{}", folder, number))) ++number;
  const std::string aside = text("{}.{}", folder, number);
  fs::rename(folder, aside);
  log::info("the earlier run was moved to {}", aside);
}

bool is_finished(const std::string& folder) {
  const std::string path = folder + "/" + kSummary;
  if (!fs::exists(path)) return false;
  const json summary = json::parse(data::read_text(path), nullptr, /*allow_exceptions=*/false);
  return summary.is_object() && summary.value("finished", false);
}

void check_same_training(const std::string& folder,
                         const ConfigSchema& schema,
                         const EarlierValues& read_as) {
  const auto recorded = data::read_text(folder + "/" + kConfig);
  const auto differences = schema.training_differences(recorded, read_as);
  STC_CHECK_USAGE(differences.empty(),
                  "run folder {} was started with other settings ({}); use the same, another "
                  "run.dir, or --fresh to move it aside",
                  folder,
                  joined(differences, {}, "; "));
}

// A run that failed before its first step may be repeated with other settings.
bool has_trained(const std::string& folder) {
  if (!fs::exists(folder + "/" + kConfig)) return false;
  std::error_code none;
  const bool logged = fs::file_size(folder + "/" + kMetrics, none) > 0 && !none;
  const auto checkpoints = folder + "/checkpoints";
  return logged || is_finished(folder) || (fs::exists(checkpoints) && !fs::is_empty(checkpoints));
}

std::string normal_path(const std::string& folder) {
  STC_CHECK_USAGE(!folder.empty(), "run.dir is empty; expected the folder of this run");
  std::string normal = fs::path(folder).lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

std::int64_t step_of(const std::string& line) {
  const json entry = json::parse(line, nullptr, /*allow_exceptions=*/false);
  const bool has_step =
      entry.is_object() && entry.contains("step") && entry["step"].is_number_integer();
  return has_step ? entry["step"].get<std::int64_t>() : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

// Mostly one write() of a whole line, so that a process that is killed leaves whole lines. Returns
// the fault, or nothing.
std::string RunFolder::write_lines() {
  if (unwritten_.empty()) return "";
  const std::string file = path(kMetrics);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  if (!metrics_.is_open()) metrics_ = data::Descriptor(::open(file.c_str(), kFlags, 0666));
  if (!metrics_.is_open()) return text("{} cannot be opened: {}", file, std::strerror(errno));
  while (!unwritten_.empty()) {
    const auto written = ::write(metrics_.number(), unwritten_.data(), unwritten_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return text("{} cannot be written: {}", file, std::strerror(errno));
    unwritten_.erase(0, static_cast<std::size_t>(written));
  }
  return "";
}

std::unique_ptr<RunFolder> RunFolder::open(const std::string& folder,
                                           const ConfigSchema& schema,
                                           bool fresh,
                                           const EarlierValues& read_as) {
  std::unique_ptr<RunFolder> run(new RunFolder);
  run->folder_ = normal_path(folder);
  try {
    check_is_run_folder(run->folder_);
    if (fresh) move_aside(run->folder_);
    fs::create_directories(run->folder_);
  } catch (const fs::filesystem_error& cause) {
    throw Error(Exit::kFailed,
                text("run folder {} cannot be created: {}", run->folder_, cause.code().message()));
  }
  run->lock_ = FolderLock(run->folder_, kRemedy);
  if (has_trained(run->folder_)) {
    check_same_training(run->folder_, schema, read_as);
    run->state_ = is_finished(run->folder_) ? RunState::kFinished : RunState::kResume;
  }
  if (run->state() != RunState::kFinished) run->write_atomically(kConfig, schema.resolved());
  return run;
}

std::string RunFolder::recorded_config(const std::string& folder) {
  const auto path = normal_path(folder);
  return has_trained(path) ? data::read_text(path + "/" + kConfig) : "";
}

void RunFolder::append_metrics(const std::string& json_line) {
  unwritten_ += json_line + "\n";
  const std::string fault = write_lines();
  if (!fault.empty() && !is_behind_)
    log::warning("{}; its lines are kept in memory and written when there is room", fault);
  is_behind_ = !fault.empty();
}

void RunFolder::flush_metrics() {
  const std::string fault = write_lines();
  STC_CHECK(fault.empty(), "{}", fault);
}

void RunFolder::cut_metrics_after(std::int64_t step) {
  if (!fs::exists(path(kMetrics))) return;
  const std::string before = data::read_text(path(kMetrics));
  std::string kept;
  std::size_t begin = 0;
  for (std::size_t end; (end = before.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = before.substr(begin, end - begin);
    if (step_of(line) <= step) kept += line + "\n";
  }
  if (kept == before) return;
  metrics_.close();  // it would continue in the file that is replaced
  write_atomically(kMetrics, kept);
}

void RunFolder::write_atomically(const std::string& inside, const std::string& content) {
  data::write_text(path(inside), content);
}

void RunFolder::remove(const std::string& inside) {
  std::error_code failed;
  fs::remove(path(inside), failed);
  STC_CHECK(!failed, "{} cannot be removed: {}", path(inside), failed.message());
}

}  // namespace stc::launcher
