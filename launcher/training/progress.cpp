#include "launcher/training/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <mutex>

#include "monitoring/log.h"

namespace stc::launcher {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBarEvery{200};
constexpr std::chrono::minutes kLineEvery{1};
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

void print(const std::string& characters) { std::fputs(characters.c_str(), stderr); }

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
struct Progress::State {
  ProgressReading reading;
  bool is_terminal = false;
  Clock::time_point started = Clock::now();

  std::mutex mutex;
  bool is_drawn = false;
  Clock::time_point shown = started;
  std::int64_t shown_step = -1;

  void draw() {
    print(kErase + cut_to_terminal(progress_bar(reading, kBarCells)));
    is_drawn = true;
  }
  void erase() {
    const std::lock_guard lock(mutex);
    if (is_drawn) print(kErase);
    is_drawn = false;
  }
};

Progress::Progress(const std::string& what,
                   std::int64_t first,
                   std::int64_t total,
                   std::int64_t units_per_step,
                   bool show) {
  if (!show) return;
  state_ = std::make_unique<State>();
  state_->reading = {what, first, first, total, units_per_step, 0, 0};
  state_->is_terminal = ::isatty(STDERR_FILENO) == 1;
  if (state_->is_terminal) log::before_terminal_line([state = state_.get()] { state->erase(); });
}

Progress::~Progress() {
  if (!state_) return;
  log::before_terminal_line({});
  State& state = *state_;
  if (state.reading.step == state.reading.first) {
    state.erase();  // nothing was done, so there is nothing to tell
  } else if (state.is_terminal) {
    state.draw();
    print("\n");
  } else if (state.shown_step != state.reading.step) {
    log::info("{}", progress_line(state.reading));
  }
}

void Progress::update(std::int64_t step, double loss) {
  if (!state_) return;
  State& state = *state_;
  const auto now = Clock::now();
  std::unique_lock lock(state.mutex);
  state.reading.step = step;
  state.reading.loss = loss;
  state.reading.seconds = std::chrono::duration<double>(now - state.started).count();
  const bool is_due = state.is_terminal ? now - state.shown >= kBarEvery || state.shown_step < 0
                                        : now - state.shown >= kLineEvery;
  if (!is_due) return;
  state.shown = now;
  state.shown_step = step;
  if (state.is_terminal) return state.draw();
  lock.unlock();
  log::info("{}", progress_line(state.reading));
}

void Progress::clear() {
  if (state_) state_->erase();
}

}  // namespace stc::launcher
