#include "launcher/agreement.h"

#include <ATen/ATen.h>

#include <optional>

#include "launcher/first_line.h"
#include "monitoring/log.h"

namespace stc::launcher {

void agree(dist::Communicator& world, const std::function<void()>& body) {
  if (world.size() == 1) return body();
  std::optional<Error> failure;
  try {
    body();
  } catch (const Error& error) {
    failure = error;
  } catch (const std::exception& error) {
    failure = Error(Exit::kFailed, first_line(error.what()));
  }
  // [lowest failing rank, -exit code]: one collective, by minimum.
  const auto lowest = at::full({1}, failure ? world.rank() : world.size(), at::kLong);
  world.all_reduce(lowest, dist::ReduceOp::kMin);
  const auto first = lowest.item<std::int64_t>();
  if (first == world.size()) return;
  const auto code = at::full(
      {1}, failure && world.rank() == first ? static_cast<int>(failure->exit()) : 0, at::kLong);
  world.broadcast(code, static_cast<int>(first));
  if (world.rank() == first) log::error(failure->what());
  throw AgreedError(static_cast<Exit>(code.item<std::int64_t>()));
}

void agree_on_root(dist::Communicator& world, const std::function<void()>& body) {
  agree(world, [&] {
    if (world.is_root()) body();
  });
}

int run_over_ranks(const std::function<int(dist::Session&)>& body) {
  dist::Session session;
  if (session.world().size == 1) return body(session);
  try {
    return body(session);
  } catch (const AgreedError& error) {
    return static_cast<int>(error.exit());
  } catch (const Error& error) {
    log::error(error.what());
    session.abort(static_cast<int>(error.exit()));
  } catch (const std::exception& error) {
    log::error(first_line(error.what()));
    session.abort(static_cast<int>(Exit::kFailed));
  }
}

}  // namespace stc::launcher
