#include "monitoring/metrics_server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::monitoring {
namespace {

constexpr unsigned kMaxConnections = 32;
constexpr unsigned kIdleSeconds = 1;
constexpr std::size_t kConnectionBytes = 16 << 10;  // what a request's lines may take

// Takes the same time for every wrong password of the right length.
bool equal(std::string_view a, std::string_view b) {
  unsigned difference = a.size() != b.size();
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

using Response = std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)>;

Response make_response(std::string_view body) {
  // The library copies the body and does not write to it.
  auto* const bytes = const_cast<char*>(body.data());
  Response response(MHD_create_response_from_buffer(body.size(), bytes, MHD_RESPMEM_MUST_COPY),
                    &MHD_destroy_response);
  MHD_add_response_header(
      response.get(), "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  return response;
}

MHD_Result send(MHD_Connection* connection, unsigned status, std::string_view body) {
  return MHD_queue_response(connection, status, make_response(body).get());
}

// Numeric or a name of this host; brackets around IPv6, as in a URL, may be left out.
std::shared_ptr<addrinfo> resolve(std::string address, int port) {
  if (address.starts_with('[') && address.ends_with(']'))
    address = address.substr(1, address.size() - 2);
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  const int failed = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  STC_CHECK_USAGE(failed == 0, "{}", ::gai_strerror(failed));
  return {found, ::freeaddrinfo};
}

// A listening socket; throws stc::Error with the reason.
int open_port(const std::string& address, int port) {
  const auto where = resolve(address, port);
  const int opened = ::socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  STC_CHECK_USAGE(opened >= 0, "{}", std::strerror(errno));
  const int yes = 1;
  ::setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(opened, where->ai_addr, where->ai_addrlen) == 0 && ::listen(opened, SOMAXCONN) == 0)
    return opened;
  const int reason = errno;
  ::close(opened);
  throw Error(Exit::kUsage, std::strerror(reason));
}

int open_any_port(const std::string& address) {
  try {
    return open_port(address, 0);
  } catch (const Error& cause) {
    throw Error(Exit::kUsage,
                text("metrics.address is {}, on which no port can be opened ({}); expected "
                     "127.0.0.1, 0.0.0.0 for every interface, or an address of this host (or set "
                     "metrics.port=off)",
                     address,
                     cause.what()));
  }
}

int port_of(int opened) {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  ::getsockname(opened, reinterpret_cast<sockaddr*>(&name), &length);
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                                          : reinterpret_cast<sockaddr_in*>(&name)->sin_port);
}

int open_port_or_another(const std::string& address, int port) {
  if (port == 0) return open_any_port(address);
  try {
    return open_port(address, port);
  } catch (const Error& cause) {
    const int other = open_any_port(address);
    log::warning("metrics port {}: {}; port {} is used", port, cause.what(), port_of(other));
    return other;
  }
}

}  // namespace

struct MetricsServer::State {
  State(const MetricsOptions& server_options, std::function<std::string()> page)
      : options(server_options),
        answer(std::move(page)),
        listening(open_port_or_another(options.address, options.port)),
        port(port_of(listening)) {
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD,
                              0,
                              nullptr,
                              nullptr,
                              &State::on_request,
                              this,
                              MHD_OPTION_LISTEN_SOCKET,
                              listening,
                              MHD_OPTION_CONNECTION_LIMIT,
                              kMaxConnections,
                              MHD_OPTION_CONNECTION_TIMEOUT,
                              kIdleSeconds,
                              MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                              kConnectionBytes,
                              MHD_OPTION_END);
    if (daemon != nullptr) return;
    ::close(listening);
    throw Error(Exit::kFailed, text("no thread to serve port {}", port));
  }
  ~State() { MHD_stop_daemon(daemon); }  // closes the socket, too
  State(const State&) = delete;

  static MHD_Result on_request(void* state,
                               MHD_Connection* connection,
                               const char* path,
                               const char* method,
                               const char* /*version*/,
                               const char* /*body*/,
                               std::size_t* /*body_bytes*/,
                               void** /*per_request*/) {
    return static_cast<const State*>(state)->respond(connection, path, method);
  }

  MHD_Result respond(MHD_Connection* connection,
                     std::string_view path,
                     std::string_view method) const {
    if (!admits(connection)) {
      const auto refusal = make_response("expected the user and the password of metrics.user\n");
      return MHD_queue_basic_auth_fail_response(connection, "stc", refusal.get());
    }
    if (method != "GET" && method != "HEAD")
      return send(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "expected GET /metrics\n");
    if (path != "/metrics") return send(connection, MHD_HTTP_NOT_FOUND, "expected GET /metrics\n");
    return send(connection, MHD_HTTP_OK, answer());
  }

  bool admits(MHD_Connection* connection) const {
    if (options.user.empty()) return true;
    char* password = nullptr;
    char* user = MHD_basic_auth_get_username_password(connection, &password);
    const bool right = user != nullptr && password != nullptr && equal(user, options.user) &&
                       equal(password, options.password);
    MHD_free(user);
    MHD_free(password);
    return right;
  }

  const MetricsOptions options;
  const std::function<std::string()> answer;
  const int listening;
  const int port;
  MHD_Daemon* daemon = nullptr;
};

MetricsServer::MetricsServer(const MetricsOptions& options, std::function<std::string()> answer)
    : state_(std::make_unique<State>(options, std::move(answer))) {}
MetricsServer::~MetricsServer() = default;

int MetricsServer::port() const { return state_->port; }

}  // namespace stc::monitoring
