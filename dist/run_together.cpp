#include "dist/run_together.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>
#include <optional>

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

// Rows of text, [ranks], through a collective of bytes.
std::vector<std::string> gather_lines(Communicator& world, const std::string& own) {
  constexpr std::int64_t kWidth = 256;
  const auto line = at::zeros({1, kWidth}, at::kByte);
  std::memcpy(line.data_ptr(), own.data(), std::min<std::size_t>(own.size(), kWidth - 1));
  const auto all = world.all_gather(line);
  std::vector<std::string> lines;
  for (std::int64_t r = 0; r < all.size(0); ++r)
    lines.emplace_back(static_cast<const char*>(all[r].data_ptr()));
  return lines;
}

void broadcast_state(Communicator& host_ranks,
                     Communicator& device_ranks,
                     const std::map<std::string, at::Tensor>& state) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state) {
    // Ranks may hold the same weights in different memory formats, of which a collective knows
    // nothing: NCCL would mix up the values of channels_last ones without a word.
    const auto values = tensor.detach().contiguous();
    (tensor.is_cpu() ? host_ranks : device_ranks).broadcast(values, 0);
    if (!tensor.is_contiguous()) tensor.detach().copy_(values);
  }
}

}  // namespace stc::dist
