// Two collectives of c10d under the names that the LibTorch at hand has for them: 2.13 renamed
// both. Its process group is no stable interface, so a program serves one minor version.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/intrusive_ptr.h>

#include <cstdint>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <vector>

namespace stc::dist {

/// `input` of all ranks, in rank order, into `output`. Group: c10d::ProcessGroup.
template <typename Group>
c10::intrusive_ptr<c10d::Work> all_gather_single(Group& group,
                                                 at::Tensor& output,
                                                 at::Tensor& input) {
  if constexpr (requires { group.all_gather_single(output, input); }) {
    return group.all_gather_single(output, input);
  } else {
    return group._allgather_base(output, input);
  }
}

/// Block r of `input`, of input_rows[r] rows, to rank r.
template <typename Group>
c10::intrusive_ptr<c10d::Work> all_to_all_single(Group& group,
                                                 at::Tensor& output,
                                                 at::Tensor& input,
                                                 std::vector<std::int64_t>& output_rows,
                                                 std::vector<std::int64_t>& input_rows) {
  if constexpr (requires { group.all_to_all_single(output, input, output_rows, input_rows); }) {
    return group.all_to_all_single(output, input, output_rows, input_rows);
  } else {
    return group.alltoall_base(output, input, output_rows, input_rows);
  }
}

}  // namespace stc::dist
