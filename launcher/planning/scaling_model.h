// How long a step takes on N ranks, on paper: alpha-beta times of collectives (NCCL's rings and
// trees) overlapped with backward. Pure functions; docs/plan.md says where the numbers come from
// and what they leave out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stc::launcher {

/// Nodes of `gpus_per_node` GPUs. Bandwidths are nccl-tests' bus bandwidth, in bytes per second.
struct Fabric {
  std::string name;
  int gpus_per_node = 8;
  double within_node = 0;    ///< of a ring inside one node
  double between_nodes = 0;  ///< of a ring over several nodes, all their network cards together
};

const std::vector<Fabric>& fabrics();
/// Throws stc::Error (kUsage) that lists them.
const Fabric& fabric_named(const std::string& name);

/// `bytes` on each of `ranks`: the faster of ring and tree.
double all_reduce_seconds(const Fabric& fabric, int ranks, double bytes);
/// Each rank contributes `bytes`.
double all_gather_seconds(const Fabric& fabric, int ranks, double bytes);
/// Each rank scatters `bytes` in `rows` whole rows: no more messages than rows.
double all_to_all_seconds(const Fabric& fabric, int ranks, double bytes, std::int64_t rows);

/// Gradients that are reduced together.
struct Bucket {
  double bytes = 0;  ///< as sent
  double ready = 0;  ///< when, as a fraction of backward
};

struct StepTime {
  double compute_seconds = 0;   ///< of one rank alone
  double backward_share = 0;    ///< of compute
  double blocking_seconds = 0;  ///< of collectives that overlap with nothing
  std::vector<Bucket> buckets;  ///< in the order in which they are ready
};

/// Buckets are reduced one after the other, each once it is ready.
double step_seconds(const Fabric& fabric, int ranks, const StepTime& step);

}  // namespace stc::launcher
