// What ranks do together beside plain collectives of tensors: programs and their errors, which all
// ranks must know of before any of them continues; text; a state.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dist/communicator.h"
#include "monitoring/check.h"

namespace stc::dist {

/// Already reported to the user by another rank: main() returns its code and prints nothing.
class ReportedError : public Error {
 public:
  explicit ReportedError(Exit code) : Error(code, "") {}
};

/// Runs `body` on every rank; if it fails on any, the lowest failing rank logs its error and all
/// ranks throw a ReportedError with that rank's exit code. A collective. In a world of one the
/// error itself is thrown.
void run_on_all_ranks(Communicator& world, const std::function<void()>& body);

/// The same with a body that only rank 0 runs.
void run_on_root(Communicator& world, const std::function<void()>& body);

/// A whole program over ranks: calls `body(session)`; an error that only this rank has seen
/// is logged and ends all of them at once, since the others may wait for it in a collective.
/// Returns the exit code.
int run_over_ranks(const std::function<int(Session&)>& body);

/// One line of each rank, in rank order; each is cut after 255 bytes. Collective.
std::vector<std::string> gather_lines(Communicator& world, const std::string& own);

/// Gives the tensors of all ranks rank 0's values, in place and in each rank's own memory format:
/// those on the CPU over host_ranks, the others over device_ranks, since NCCL takes no tensor of
/// another device. A collective.
void broadcast_state(Communicator& host_ranks,
                     Communicator& device_ranks,
                     const std::map<std::string, at::Tensor>& state);

}  // namespace stc::dist
