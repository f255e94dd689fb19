// Answers scrapes over HTTP. No HTTP library in this header.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "monitoring/metrics.h"

namespace stc::monitoring {

/// Serves `GET /metrics`; other paths get 404, other methods 405. One thread for all connections,
/// so that slow or silent clients keep nobody waiting; their number, their time and the length of
/// what they send are bounded.
class MetricsServer {
 public:
  /// `answer` gives the page; it is called from the server's thread. When the port is taken, a free
  /// one is used, with a warning. Throws stc::Error (kUsage) that names the reason if no port of
  /// the address can be opened.
  MetricsServer(const MetricsOptions& options, std::function<std::string()> answer);
  ~MetricsServer();  ///< closes the port and all connections at once
  int port() const;  ///< as bound

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stc::monitoring
