#include "launcher/evaluation/evaluation_folder.h"

#include <unistd.h>

#include <filesystem>

#include "data/file.h"
#include "eval/jobs/evaluation_job.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr char kJob[] = "job.json";
constexpr char kResults[] = "results.json";

// Of an evaluation that ended before it could say what it is, or that another job begins just now.
bool holds_only_a_lock(const std::string& out) {
  for (const auto& entry : fs::directory_iterator(out)) {
    const auto name = entry.path().filename().string();
    if (name != FolderLock::kFile && !name.starts_with(kJob)) return false;
  }
  return true;
}

// Jobs that share the folder may write it at the same time, all of them the same.
void write_job(const std::string& out, const ordered_json& job) {
  const auto path = fs::path(out) / kJob;
  const auto own = text("{}.{}", path.string(), ::getpid());
  data::write_text(own, job.dump(2) + "\n");
  fs::rename(own, path);
}

void check_same_job(const std::string& out, const ordered_json& job) {
  const auto path = (fs::path(out) / kJob).string();
  const auto earlier =
      ordered_json::parse(data::read_text(path), nullptr, /*allow_exceptions=*/false);
  STC_CHECK_USAGE(earlier.is_object(), "{}: is not readable; --force evaluates anew", path);
  for (const auto& [key, value] : job.items()) {
    const auto before = earlier.value(key, ordered_json());
    STC_CHECK_USAGE(before == value,
                    "{} holds an evaluation with {} {}, this one has {}; name another folder, or "
                    "--force to evaluate anew",
                    out,
                    key,
                    before.dump(),
                    value.dump());
  }
}

}  // namespace

FolderLock open_evaluation_folder(const std::string& out, const ordered_json& job, FolderUse use) {
  STC_CHECK_USAGE(!fs::exists(out) || fs::is_directory(out),
                  "{}: is a file; expected a folder for the results",
                  out);
  std::error_code failed;
  fs::create_directories(out, failed);
  STC_CHECK(!failed, "{}: cannot be made: {}", out, failed.message());
  const bool is_new = fs::is_empty(out);
  FolderLock lock(
      out,
      "name another folder",
      use == FolderUse::kShare ? FolderLock::Kind::kShared : FolderLock::Kind::kExclusive);
  if (use == FolderUse::kAnew) {
    eval::forget_records(out);
  } else if (fs::exists(fs::path(out) / kJob)) {
    check_same_job(out, job);
  } else if (!is_new && !holds_only_a_lock(out)) {
    throw Error(Exit::kUsage,
                text("{}: is not empty, and holds no evaluation to go on with; name another "
                     "folder, or --force to write over what is there",
                     out));
  }
  // What it says might no longer be so.
  if (use != FolderUse::kShare) fs::remove(fs::path(out) / kResults, failed);
  write_job(out, job);
  return lock;
}

}  // namespace stc::launcher
