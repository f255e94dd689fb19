#include "dist/datagram_socket.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "monitoring/check.h"

namespace stc::dist {
namespace {

std::string dotted(in_addr address) {
  std::array<char, INET_ADDRSTRLEN> out{};
  inet_ntop(AF_INET, &address, out.data(), out.size());
  return out.data();
}

// The addresses of interfaces that are up, loopback last.
std::vector<std::string> interface_addresses() {
  ifaddrs* all = nullptr;
  std::vector<std::string> reachable, loopback;
  if (getifaddrs(&all) == 0) {
    for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
      if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
      if ((one->ifa_flags & IFF_UP) == 0) continue;
      sockaddr_in address{};
      std::memcpy(&address, one->ifa_addr, sizeof address);
      ((one->ifa_flags & IFF_LOOPBACK) != 0 ? loopback : reachable)
          .push_back(dotted(address.sin_addr));
    }
    freeifaddrs(all);
  }
  constexpr std::size_t kMaxReachable = 3;  // a datagram has room for these and loopback
  if (reachable.size() > kMaxReachable) reachable.resize(kMaxReachable);
  if (!loopback.empty()) reachable.push_back(loopback.front());
  return reachable;
}

std::optional<sockaddr_in> parse(const std::string& address) {
  const auto colon = address.rfind(':');
  sockaddr_in parsed{};
  parsed.sin_family = AF_INET;
  if (colon == std::string::npos ||
      inet_pton(AF_INET, address.substr(0, colon).c_str(), &parsed.sin_addr) != 1) {
    return std::nullopt;
  }
  parsed.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
  return parsed;
}

}  // namespace

DatagramSocket::DatagramSocket()
    : descriptor_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  STC_CHECK(descriptor_ >= 0, "a UDP socket cannot be opened: {}", std::strerror(errno));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_ANY);
  STC_CHECK(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0,
            "no free UDP port: {}",
            std::strerror(errno));
}

DatagramSocket::~DatagramSocket() { ::close(descriptor_); }

std::vector<std::string> DatagramSocket::addresses() const {
  sockaddr_in bound{};
  socklen_t length = sizeof bound;
  getsockname(descriptor_, reinterpret_cast<sockaddr*>(&bound), &length);
  auto addresses = interface_addresses();
  for (auto& address : addresses) address += text(":{}", ntohs(bound.sin_port));
  return addresses;
}

void DatagramSocket::send(const std::string& datagram, const std::string& address) {
  const auto to = parse(address);
  if (!to) return;
  // A full buffer or a lost node drops this one; the next follows within a second.
  ::sendto(descriptor_,
           datagram.data(),
           datagram.size(),
           MSG_DONTWAIT | MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&*to),
           sizeof *to);
}

std::optional<std::string> DatagramSocket::receive(std::chrono::milliseconds wait) {
  pollfd ready{descriptor_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(wait.count())) <= 0) return std::nullopt;
  std::array<char, 2048> buffer;
  const auto length = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (length <= 0) return std::nullopt;
  return std::string(buffer.data(), static_cast<std::size_t>(length));
}

}  // namespace stc::dist
