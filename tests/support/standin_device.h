// A device beside the CPU for tests on machines without a GPU: it computes on the CPU, and like a
// GPU refuses an operator whose tensors are not all its own. Its streams do their work at once.
// What it does not show: a GPU's own kernels, work that is still under way, and a host that reads a
// GPU's memory.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace stc::test {

/// The stand-in, which the first call makes known to LibTorch.
at::Device standin();
/// The same memory as a tensor of the CPU; throws for a tensor of another device, as NCCL does.
at::Tensor host_view(const at::Tensor& tensor);
/// The GPU if there is one, else the stand-in.
at::Device gpu_or_standin();

}  // namespace stc::test
