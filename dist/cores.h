// Which cores a rank computes on, where nobody else has bound it: near its GPU, and not those of
// the other ranks of its host.
#pragma once

#include <string>
#include <vector>

namespace stc::dist {

/// "0-3,8,10-11" as Linux writes lists of cores. Throws stc::Error on anything else.
std::vector<int> parse_cores(const std::string& list);

/// The cores that this process may run on, in order.
std::vector<int> allowed_cores();

/// What Linux says of the GPU's PCI device; empty where it says nothing, or this build knows no
/// GPUs.
std::string cores_near_gpu(int index);

/// near_gpu[r]: the cores near local rank r's GPU (its PCI device's local_cpulist), empty where it
/// has none. Ranks whose lists are equal share those of `allowed` that are in it, in contiguous,
/// equal parts; where none is, all of `allowed`. Empty where a part would be smaller than two cores
/// (compute and loader): then nothing is to be bound.
std::vector<int> cores_of_rank(const std::vector<int>& allowed,
                               const std::vector<std::string>& near_gpu,
                               int local_rank);

/// Of this thread, and of those that it starts from now on.
void bind_to(const std::vector<int>& cores);

}  // namespace stc::dist
