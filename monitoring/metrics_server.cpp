#include "monitoring/metrics_server.h"

#include <prometheus/exposer.h>

#include <exception>
#include <string>
#include <vector>

#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::monitoring {
namespace {

using prometheus::Exposer;

// Threads sleep until a request comes. More than one, so that a client that connects and sends
// nothing does not keep the others waiting, and with a time limit.
std::unique_ptr<Exposer> listen(const std::string& address, int port) {
  return std::make_unique<Exposer>(std::vector<std::string>{"listening_ports",
                                                            text("{}:{}", address, port),
                                                            "num_threads",
                                                            "4",
                                                            "request_timeout_ms",
                                                            "1000"});
}

std::unique_ptr<Exposer> listen_on_any_port(const std::string& address) {
  try {
    return listen(address, 0);
  } catch (const std::exception&) {
    throw Error(Exit::kUsage,
                text("metrics.address is {}, on which no port can be opened; expected 127.0.0.1, "
                     "0.0.0.0 for every interface, or an address of this host (or set "
                     "metrics.port=off)",
                     address));
  }
}

std::unique_ptr<Exposer> listen_on_port_or_another(const std::string& address, int port) {
  if (port == 0) return listen_on_any_port(address);
  try {
    return listen(address, port);
  } catch (const std::exception&) {
    auto other = listen_on_any_port(address);
    log::warning(
        "metrics port {} is taken; port {} is used", port, other->GetListeningPorts().front());
    return other;
  }
}

// Takes the same time for every wrong password of the right length.
bool equal(const std::string& a, const std::string& b) {
  unsigned difference = a.size() != b.size();
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

}  // namespace

std::unique_ptr<Exposer> listen_for_scrapers(const MetricsOptions& options) {
  auto exposer = listen_on_port_or_another(options.address, options.port);
  if (options.user.empty()) return exposer;
  exposer->RegisterAuth(
      [options](const std::string& user, const std::string& password) {
        return equal(user, options.user) && equal(password, options.password);
      },
      "stc");
  return exposer;
}

}  // namespace stc::monitoring
