#include "launcher/packing/count_progress.h"

#include <unistd.h>

#include <cstdio>

#include "monitoring/log.h"

namespace stc::launcher {
namespace {

void clear_line() {
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

}  // namespace

CountProgress::CountProgress(const std::string& what)
    : what_(what), is_terminal_(::isatty(STDERR_FILENO) == 1) {
  if (is_terminal_) log::before_terminal_line(clear_line);
}

CountProgress::~CountProgress() {
  if (!is_terminal_) return;
  clear_line();
  log::before_terminal_line({});
}

void CountProgress::update(std::int64_t done, std::int64_t total) {
  const auto permille = 1000 * done / total;
  if (!is_terminal_ || permille == drawn_permille_) return;
  drawn_permille_ = permille;
  std::fprintf(stderr,
               "\r\033[K%s %lld/%lld",
               what_.c_str(),
               static_cast<long long>(done),
               static_cast<long long>(total));
  std::fflush(stderr);
}

}  // namespace stc::launcher
