// Small messages between ranks, beside the collectives: nothing waits for them, and they may be
// lost (UDP over IPv4).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stc::dist {

class DatagramSocket {
 public:
  DatagramSocket();  ///< on a free port of all interfaces; throws stc::Error if there is none
  ~DatagramSocket();
  DatagramSocket(const DatagramSocket&) = delete;

  /// "10.0.0.7:40123": how others may reach this socket, loopback last; at most four.
  std::vector<std::string> addresses() const;

  /// Best effort, to one of addresses() of another socket; never blocks.
  void send(const std::string& datagram, const std::string& address);

  /// Waits at most this long; empty if none came.
  std::optional<std::string> receive(std::chrono::milliseconds wait);

 private:
  int descriptor_ = -1;
};

}  // namespace stc::dist
