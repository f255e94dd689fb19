// The communicator of more than one rank: c10d's process group behind the program's interface.
#pragma once

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <memory>

#include "dist/communicator.h"

namespace c10d {
class Backend;
class ProcessGroup;
}  // namespace c10d

namespace stc::dist {

class CollectiveLog;

/// `backend` serves tensors on `device`; a recording backend in front of it writes into `log`.
std::shared_ptr<Communicator> make_group_communicator(const World& world,
                                                      at::Device device,
                                                      c10::intrusive_ptr<c10d::Backend> backend,
                                                      std::shared_ptr<CollectiveLog> log);

/// GradientReducer builds on it; null for a world of one.
c10::intrusive_ptr<c10d::ProcessGroup> process_group_of(Communicator& world);

/// The collectives that this rank has called; null for a world of one.
std::shared_ptr<CollectiveLog> collective_log_of(Communicator& world);

/// Shared by all communicators, so that a mistake shows on one rank as it does on many.
void check_rows(const char* verb, const at::Tensor& tensor);
void check_blocks(const at::Tensor& rows,
                  const std::vector<std::int64_t>& send_rows,
                  const std::vector<std::int64_t>& receive_rows,
                  int size);
std::string host_name();

}  // namespace stc::dist
