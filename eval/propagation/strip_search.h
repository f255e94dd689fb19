// The search of window_search.h as operations on tensors: used on GPUs, and on any device an
// independent check of the CPU's kernel.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "eval/propagation/window_search.h"

namespace stc::eval {

/// search_labels() for frames whose keys are [C, h, w] on the queries' device, `rows` rows of
/// queries at a time. The scores of such a strip with the rows of one frame that its windows reach
/// are all that is held besides the votes. Votes for equal scores go to any of them.
at::Tensor search_strips(const at::Tensor& queries,
                         const std::vector<SearchSlot>& slots,
                         const SearchOptions& options,
                         std::int64_t rows);

/// Rows of a strip with which the scores take 64 MiB at most, even if all of a frame is searched;
/// at least one.
std::int64_t strip_rows(const at::Tensor& queries);

}  // namespace stc::eval
