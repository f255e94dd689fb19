// More than a rank's metrics port should ever see, one kind of it after the other:
//
//   stc_scrape_storm PORT scrapes COUNT SECONDS     evenly over the time; each must be answered in
//   full stc_scrape_storm PORT headers COUNT BYTES       requests with a header so long
//   stc_scrape_storm PORT silent COUNT SECONDS      so many connections that say nothing, opened
//   again when they are closed
//
// Prints one line of what came of it.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/scrape.h"

namespace stc::test {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Clock::duration duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// `kind`: SOCK_NONBLOCK does not wait until the other side has a place for it.
int connect_to(int port, int kind = 0) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | kind, 0);
  const sockaddr_in address = loopback(port);
  const auto* const any = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(connection, any, sizeof address) == 0 || errno == EINPROGRESS) return connection;
  ::close(connection);
  return -1;
}

int scrapes(int port, int count, double seconds) {
  std::vector<double> waits;
  std::size_t bytes = 0;
  const auto start = Clock::now();
  for (int i = 0; i < count; ++i) {
    std::this_thread::sleep_until(start + duration(seconds * i / count));
    const auto asked = Clock::now();
    const std::string answer = scrape(port);
    waits.push_back(seconds_since(asked));
    const bool whole = answer.starts_with("HTTP/1.1 200") && answer.ends_with("\n") &&
                       answer.find("\nstc_step{") != std::string::npos;
    if (!whole) {
      std::printf("scrape %d was answered by: %s\n", i, answer.substr(0, 200).c_str());
      return 1;
    }
    bytes = answer.size();
  }
  std::sort(waits.begin(), waits.end());
  std::printf(
      "%d scrapes of %zu bytes in %.1f s: answered in %.2f ms (median), %.2f ms (1 in 100), "
      "%.2f ms (slowest)\n",
      count,
      bytes,
      seconds_since(start),
      1e3 * waits[waits.size() / 2],
      1e3 * waits[waits.size() * 99 / 100],
      1e3 * waits.back());
  return 0;
}

// Sent as far as the other side takes it; then whatever it says, until it closes.
int long_headers(int port, int count, int length) {
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " +
                              std::string(static_cast<std::size_t>(length), 'x') + "\r\n\r\n";
  int refused = 0;
  const auto start = Clock::now();
  for (int i = 0; i < count; ++i) {
    const int connection = connect_to(port);
    std::size_t sent = 0;
    while (sent < request.size()) {
      const auto more =
          ::send(connection, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) break;
      sent += static_cast<std::size_t>(more);
    }
    std::string answer(4096, ' ');
    const auto got = ::recv(connection, answer.data(), answer.size(), 0);
    refused += got <= 0 || answer.find(" 200 ") == std::string::npos;
    ::close(connection);
  }
  std::printf("%d requests with %d bytes of header in %.1f s: %d refused\n",
              count,
              length,
              seconds_since(start),
              refused);
  return refused == count ? 0 : 1;
}

int silent(int port, int count, double seconds) {
  std::vector<pollfd> open(static_cast<std::size_t>(count), pollfd{-1, POLLIN, 0});
  int opened = 0;
  const auto start = Clock::now();
  while (seconds_since(start) < seconds) {
    for (auto& one : open) {
      if (one.fd < 0) opened += (one.fd = connect_to(port, SOCK_NONBLOCK)) >= 0;
    }
    ::poll(open.data(), open.size(), 100);
    for (auto& one : open) {
      if (one.revents == 0) continue;
      char byte;
      if (::recv(one.fd, &byte, 1, 0) > 0) continue;
      ::close(one.fd);
      one = {-1, POLLIN, 0};
    }
  }
  for (const auto& one : open) ::close(one.fd);
  std::printf(
      "%d silent connections for %.1f s: opened %d times\n", count, seconds_since(start), opened);
  return opened >= count ? 0 : 1;
}

}  // namespace
}  // namespace stc::test

int main(int argc, char** argv) {
  using namespace stc::test;
  if (argc != 5) return 2;
  const int port = std::atoi(argv[1]), count = std::atoi(argv[3]);
  const std::string kind = argv[2];
  if (kind == "scrapes") return scrapes(port, count, std::atof(argv[4]));
  if (kind == "headers") return long_headers(port, count, std::atoi(argv[4]));
  if (kind == "silent") return silent(port, count, std::atof(argv[4]));
  return 2;
}
