#include "monitoring/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "monitoring/log.h"

namespace stc {
namespace {

constexpr double kDrawEverySeconds = 0.2;
constexpr double kLogEverySeconds = 60;
constexpr std::int64_t kBarCells = 24;

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, pattern, values...);
  return buffer;
}

double fraction(const ProgressReading& at) {
  return at.total > 0 ? static_cast<double>(at.step) / static_cast<double>(at.total) : 1;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  return format("%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
}

// Counts of what has been done: steps, share, rate, loss, time left.
std::string counts(const ProgressReading& at) {
  std::string rate = "-";
  std::string left = "-";
  const auto steps = static_cast<double>(at.step - at.first);
  if (steps > 0 && at.seconds > 0) {
    rate = format("%.1f", steps * static_cast<double>(at.units_per_step) / at.seconds);
    left = clock_text(at.seconds / steps * static_cast<double>(at.total - at.step));
  }
  return format("%lld/%lld %d%% ",
                static_cast<long long>(at.step),
                static_cast<long long>(at.total),
                static_cast<int>(100 * fraction(at))) +
         rate + " samples/s loss " + format("%.4f", at.loss) + " left " + left;
}

// Leaves the last column free: a terminal may break the line there.
std::string cut_to_terminal(const std::string& line) {
  winsize size = {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return line;
  return line.substr(0, size.ws_col - 1U);
}

void print(const std::string& characters) {
  std::fputs(characters.c_str(), stderr);
  std::fflush(stderr);
}

constexpr char kErase[] = "\r\033[K";

}  // namespace

std::string progress_line(const ProgressReading& reading) {
  return reading.what + " " + counts(reading);
}

std::string progress_bar(const ProgressReading& reading, std::int64_t bar_cells) {
  const auto full = std::clamp<std::int64_t>(
      std::llround(fraction(reading) * static_cast<double>(bar_cells)), 0, bar_cells);
  const auto cells = static_cast<std::size_t>(bar_cells);
  std::string bar(static_cast<std::size_t>(full), '#');
  bar.resize(cells, '.');
  return reading.what + " [" + bar + "] " + counts(reading);
}

// The log's hook calls erase() from any thread, under the log's lock; so nothing here logs while it
// holds the mutex.
ProgressLine::ProgressLine(bool shown) : on_terminal_(shown && ::isatty(STDERR_FILENO) == 1) {
  if (on_terminal_) log::before_terminal_line([this] { erase(); });
}

ProgressLine::~ProgressLine() {
  if (!on_terminal_) return;
  log::before_terminal_line({});
  erase();
}

bool ProgressLine::is_due() const {
  return on_terminal_ && (!since_drawn_ || since_drawn_->seconds() >= kDrawEverySeconds);
}

void ProgressLine::draw(const std::string& line) {
  if (!on_terminal_) return;
  const std::lock_guard lock(mutex_);
  print(kErase + cut_to_terminal(line));
  is_drawn_ = true;
  since_drawn_.emplace();
}

void ProgressLine::erase() {
  const std::lock_guard lock(mutex_);
  if (is_drawn_) print(kErase);
  is_drawn_ = false;
}

void ProgressLine::keep() {
  const std::lock_guard lock(mutex_);
  if (is_drawn_) print("\n");
  is_drawn_ = false;
}

Progress::Progress(const std::string& what,
                   std::int64_t first,
                   std::int64_t total,
                   std::int64_t units_per_step,
                   bool show)
    : shown_(show), reading_{what, first, first, total, units_per_step}, line_(show) {}

Progress::~Progress() {
  if (!shown_ || reading_.step == reading_.first) return;  // nothing was done
  if (line_.on_terminal()) {
    line_.draw(progress_bar(reading_, kBarCells));
    line_.keep();
  } else if (logged_step_ != reading_.step) {
    log::info("{}", progress_line(reading_));
  }
}

void Progress::update(std::int64_t step, double loss) {
  if (!shown_) return;
  reading_.step = step;
  reading_.loss = loss;
  reading_.seconds = since_start_.seconds();
  if (line_.is_due()) line_.draw(progress_bar(reading_, kBarCells));
  if (line_.on_terminal() || since_logged_.seconds() < kLogEverySeconds) return;
  since_logged_.restart();
  logged_step_ = step;
  log::info("{}", progress_line(reading_));
}

}  // namespace stc
