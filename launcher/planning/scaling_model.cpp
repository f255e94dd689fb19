#include "launcher/planning/scaling_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

// NCCL's own model (src/graph/tuning.cc): the time of a hop, protocol Simple.
constexpr double kBase = 8.4e-6;
constexpr double kHopWithin = 3.4e-6, kHopBetween = 9.6e-6;
constexpr double kTreeHopWithin = 28e-6, kTreeHopBetween = 50e-6;
constexpr double kLargeMessages = 1.9;  // a ring's hops over several nodes take longer for these
constexpr double kMaxTreeBandwidth = 80e9;  // bytes per second

int nodes_of(const Fabric& fabric, int ranks) {
  return (ranks + fabric.gpus_per_node - 1) / fabric.gpus_per_node;
}

double bandwidth(const Fabric& fabric, int nodes) {
  return nodes == 1 ? fabric.within_node : fabric.between_nodes;
}

/// `rounds` times around the ring.
double ring_latency(int ranks, int nodes, int rounds) {
  const int hops = rounds * (ranks - 1);
  if (nodes == 1) return kBase + hops * kHopWithin;
  const int between = rounds * nodes;
  return kLargeMessages * (kBase + (hops - between) * kHopWithin + between * kHopBetween);
}

double ring_seconds(const Fabric& fabric, int ranks, double bytes) {
  const int nodes = nodes_of(fabric, ranks);
  return ring_latency(ranks, nodes, 2) +
         2.0 * (ranks - 1) / ranks * bytes / bandwidth(fabric, nodes);
}

double tree_seconds(const Fabric& fabric, int ranks, double bytes) {
  const int nodes = nodes_of(fabric, ranks);
  if (nodes == 1) return std::numeric_limits<double>::infinity();
  const double latency = 2 * ((static_cast<double>(ranks) / nodes - 1) * kTreeHopWithin +
                              std::log2(nodes) * kTreeHopBetween);
  return latency + bytes / (0.5 * std::min(0.9 * fabric.between_nodes, kMaxTreeBandwidth));
}

}  // namespace

// Bus bandwidths as measured with nccl-tests: 8 A100 on NVLink; 8 x 200 Gb/s between nodes; one
// card of 100 Gb/s and one of 25 Gb/s, minus protocol overhead.
const std::vector<Fabric>& fabrics() {
  static const std::vector<Fabric> all = {{"nvlink+8x200", 8, 232.5e9, 192e9},
                                          {"nvlink+1x100", 8, 232.5e9, 12e9},
                                          {"nvlink+25gbe", 8, 232.5e9, 2.9e9}};
  return all;
}

const Fabric& fabric_named(const std::string& name) {
  for (const Fabric& fabric : fabrics()) {
    if (fabric.name == name) return fabric;
  }
  throw Error(Exit::kUsage,
              text("--fabric is '{}'; expected one of {}", name, joined(fabrics(), &Fabric::name)));
}

double all_reduce_seconds(const Fabric& fabric, int ranks, double bytes) {
  if (ranks == 1) return 0;
  return std::min(ring_seconds(fabric, ranks, bytes), tree_seconds(fabric, ranks, bytes));
}

double all_gather_seconds(const Fabric& fabric, int ranks, double bytes) {
  if (ranks == 1) return 0;
  const int nodes = nodes_of(fabric, ranks);
  return ring_latency(ranks, nodes, 1) + (ranks - 1) * bytes / bandwidth(fabric, nodes);
}

double all_to_all_seconds(const Fabric& fabric, int ranks, double bytes, std::int64_t rows) {
  if (ranks == 1) return 0;
  const int nodes = nodes_of(fabric, ranks);
  const auto messages = static_cast<double>(std::min<std::int64_t>(ranks - 1, rows));
  const double leaves = bytes * (ranks - 1) / ranks;
  if (nodes == 1) return kBase + messages * kHopWithin + leaves / fabric.within_node;
  // The node's network cards are shared by its GPUs.
  const double share = fabric.between_nodes / fabric.gpus_per_node;
  return kBase + messages * kHopBetween + leaves / share;
}

double step_seconds(const Fabric& fabric, int ranks, const StepTime& step) {
  const double backward = step.compute_seconds * step.backward_share;
  const double forward = step.compute_seconds - backward;
  double done = 0;
  for (const Bucket& bucket : step.buckets) {
    done = std::max(done, forward + bucket.ready * backward) +
           all_reduce_seconds(fabric, ranks, bucket.bytes);
  }
  return std::max(step.compute_seconds, done) + step.blocking_seconds;
}

}  // namespace stc::launcher
