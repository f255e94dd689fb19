// The share of a host that belongs to one of its ranks: its cores, and a GPU of its own.
#pragma once

#include <string>
#include <vector>

namespace stc::dist {

std::vector<int> allowed_cores();  ///< of this process, ascending

/// "0-3,8" as the kernel writes it. Throws stc::Error if it is not of that form.
std::vector<int> parse_core_list(const std::string& list);

/// The cores near the device at this PCI address ("0000:3b:00.0"), as sysfs lists them; empty if it
/// does not.
std::string core_list_near(const std::string& pci_address, const std::string& sysfs = "/sys");

/// Contiguous and equal to within one core; with fewer cores than ranks, one core that several
/// ranks share.
std::vector<int> cores_of_rank(const std::vector<int>& allowed, int local_rank, int local_size);

/// The same near GPUs: near[r] is core_list_near() of rank r's GPU. Ranks whose GPUs are near
/// the same cores share only these; a rank with no usable core near it gets its share of all.
std::vector<int> cores_of_rank(const std::vector<int>& allowed,
                               const std::vector<std::string>& near,
                               int local_rank);

/// Binds this thread, and those that it starts from now on.
void bind_to(const std::vector<int>& cores);

/// Throws stc::Error (kUsage) if `ranks` of this host would share its `gpus`: rank r drives GPU
/// r, and NCCL hangs when two drive one.
void check_gpu_for_each_rank(const std::string& host, int gpus, int ranks);

}  // namespace stc::dist
