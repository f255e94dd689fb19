// Which device a program computes on; never silently another one.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "dist/communicator.h"

namespace stc::dist {

/// Of a program over ranks, which all compute on one kind of device: "cpu"; "cuda", the GPU with
/// the index of this rank's local rank, which becomes the process's current one; or "auto", cuda if
/// a GPU is usable and else cpu. If one rank cannot or ranks would choose differently, all throw
/// stc::Error (kUsage): for another word, a build or machine without CUDA, a node with fewer GPUs
/// than ranks. A collective.
at::Device choose_device(const std::string& asked, Communicator& host_ranks);

/// The same for a program of one process: "cuda" is the first GPU.
at::Device choose_device(const std::string& asked);

/// Waits until the device has done all that it was given; a CPU always has.
void synchronise(at::Device device);

std::string device_word(at::Device device);  ///< "cpu" or "cuda"

}  // namespace stc::dist
