#include "launcher/evaluation_folder.h"

#include <filesystem>

#include "data/file.h"
#include "eval/evaluation_job.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr char kJob[] = "job.json";
constexpr char kResults[] = "results.json";

// Of an evaluation that ended before it could say what it is.
bool holds_only_a_lock(const std::string& out) {
  for (const auto& entry : fs::directory_iterator(out))
    if (entry.path().filename() != FolderLock::kFile) return false;
  return true;
}

void check_same_job(const std::string& out, const ordered_json& job) {
  const auto path = (fs::path(out) / kJob).string();
  const auto bytes = data::read_file(path);
  const auto earlier = ordered_json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  STC_CHECK_USAGE(earlier.is_object(), path, ": is not readable; --force evaluates anew");
  for (const auto& [key, value] : job.items()) {
    const auto before = earlier.value(key, ordered_json());
    STC_CHECK_USAGE(before == value,
                    out,
                    " holds an evaluation with ",
                    key,
                    " ",
                    before.dump(),
                    ", this one has ",
                    value.dump(),
                    "; name another folder, or --force to evaluate anew");
  }
}

}  // namespace

FolderLock open_evaluation_folder(const std::string& out, const ordered_json& job, bool force) {
  STC_CHECK_USAGE(!fs::exists(out) || fs::is_directory(out),
                  out,
                  ": is a file; expected a folder for the results");
  std::error_code failed;
  fs::create_directories(out, failed);
  STC_CHECK(!failed, out, ": cannot be made: ", failed.message());
  const bool is_new = fs::is_empty(out);
  FolderLock lock(out, "name another folder");
  if (force) {
    eval::forget_records(out);
  } else if (!is_new && !holds_only_a_lock(out)) {
    STC_CHECK_USAGE(fs::exists(fs::path(out) / kJob),
                    out,
                    ": is not empty, and holds no evaluation to go on with; name another folder, "
                    "or --force to write over what is there");
    check_same_job(out, job);
  }
  fs::remove(fs::path(out) / kResults, failed);  // what it says might no longer be so
  const auto content = job.dump(2) + "\n";
  data::write_file((fs::path(out) / kJob).string(),
                   {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
  return lock;
}

}  // namespace stc::launcher
