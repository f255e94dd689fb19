#include "monitoring/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "monitoring/activity.h"
#include "monitoring/check.h"
#include "monitoring/printable.h"

namespace stc::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::off;
}

struct Destinations {
  std::mutex mutex;
  int rank = 0;
  int world = 1;
  std::shared_ptr<spdlog::logger> terminal;
  std::shared_ptr<spdlog::logger> file;  // null: none
  bool json = false;                     // in the file
  std::function<void()> clear;
};

// Every line is flushed: there are few, and they must outlive a kill.
std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink, const std::string& pattern) {
  auto logger = std::make_shared<spdlog::logger>("stc", std::move(sink));
  logger->set_pattern(pattern);
  logger->flush_on(spdlog::level::info);
  return logger;
}

// Never destroyed: threads and destructors of statics may log while the process ends.
Destinations& destinations() {
  static Destinations* const all = [] {
    auto* made = new Destinations;
    made->terminal = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), "%v");
    return made;
  }();
  return *all;
}

std::string rank_label(const Destinations& to) { return text("[rank {}/{}] ", to.rank, to.world); }

std::string terminal_line(const Destinations& to, Level level, const std::string& line) {
  const std::string rank = to.world > 1 ? rank_label(to) : "";
  if (level == Level::kError) return rank + "stc: " + line;
  if (level == Level::kWarning) return rank + "stc: warning: " + line;
  return rank + line;
}

// What follows the time and the level, which the logger's pattern writes.
std::string json_fields(const Destinations& to, const std::string& line) {
  const nlohmann::ordered_json fields = {
      {"rank", to.rank}, {"world", to.world}, {"step", activity::now().step}, {"message", line}};
  return fields.dump().substr(1);
}

std::shared_ptr<spdlog::logger> make_file_logger(const Destinations& to, const FileOptions& file) {
  return make_logger(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
                         file.path,
                         static_cast<std::size_t>(file.rotate_bytes),
                         static_cast<std::size_t>(file.keep)),
                     file.json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v)"
                               : rank_label(to) + "%Y-%m-%d %H:%M:%S.%e %l: %v");
}

}  // namespace

void write(Level level, const std::string& message) {
  std::string line = message;
  std::replace(line.begin(), line.end(), '\n', ' ');
  line = printable(line);
  Destinations& to = destinations();
  const std::lock_guard lock(to.mutex);
  if (to.rank == 0 || level == Level::kError) {
    if (to.clear) to.clear();
    to.terminal->log(spdlog_level(level), spdlog::string_view_t(terminal_line(to, level, line)));
  }
  if (!to.file) return;
  to.file->log(spdlog_level(level), spdlog::string_view_t(to.json ? json_fields(to, line) : line));
}

void open(int rank, int world, const FileOptions& file) {
  Destinations& to = destinations();
  const std::lock_guard lock(to.mutex);
  to.rank = rank;
  to.world = world;
  to.file.reset();
  to.json = file.json;
  if (file.path.empty()) return;
  try {
    to.file = make_file_logger(to, file);
  } catch (const spdlog::spdlog_ex& cause) {
    throw Error(Exit::kFailed, text("log file {} cannot be opened: {}", file.path, cause.what()));
  }
}

void before_terminal_line(std::function<void()> clear) {
  Destinations& to = destinations();
  const std::lock_guard lock(to.mutex);
  to.clear = std::move(clear);
}

}  // namespace stc::log
