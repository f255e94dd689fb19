#include "dist/run_together.h"

#include <ATen/ATen.h>

#include <optional>

#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::dist {

void run_on_all_ranks(Communicator& world, const std::function<void()>& body) {
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
  world.all_reduce(lowest, ReduceOp::kMin);
  const auto first = lowest.item<std::int64_t>();
  if (first == world.size()) return;
  const auto code = at::full(
      {1}, failure && world.rank() == first ? static_cast<int>(failure->exit()) : 0, at::kLong);
  world.broadcast(code, static_cast<int>(first));
  if (world.rank() == first) log::error("{}", failure->what());
  throw ReportedError(static_cast<Exit>(code.item<std::int64_t>()));
}

void run_on_root(Communicator& world, const std::function<void()>& body) {
  run_on_all_ranks(world, [&] {
    if (world.is_root()) body();
  });
}

int run_over_ranks(const std::function<int(Session&)>& body) {
  Session session;
  if (session.world().size == 1) return body(session);
  try {
    return body(session);
  } catch (const ReportedError& error) {
    return static_cast<int>(error.exit());
  } catch (const Error& error) {
    log::error("{}", error.what());
    session.abort(static_cast<int>(error.exit()));
  } catch (const std::exception& error) {
    log::error("{}", first_line(error.what()));
    session.abort(static_cast<int>(Exit::kFailed));
  }
}

}  // namespace stc::dist
