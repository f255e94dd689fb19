#include "launcher/planning/plan_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "monitoring/check.h"
#include "monitoring/json_text.h"

namespace stc::launcher {
namespace {

template <typename... Values>
std::string printed(const char* form, Values... values) {
  char line[256];
  std::snprintf(line, sizeof(line), form, values...);
  return line;
}

/// In decimal units, as links are sold.
std::string size_of(double bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  int unit = 0;
  while (bytes >= 1000 && unit < 4) {
    bytes /= 1000;
    ++unit;
  }
  return printed(unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

std::string row(const std::string& name, std::int64_t bytes) {
  return printed("  %-24s %10s", name.c_str(), size_of(static_cast<double>(bytes)).c_str());
}

bool is_gradient(const Traffic& line) { return line.purpose == "gradients"; }

double share_of_backward(const ScalingPlan& plan) {
  // Step 1 runs a second forward, of the key encoder; a backward costs two forwards.
  return plan.method == "pretrain" ? 1.0 / 2 : 2.0 / 3;
}

double blocking_seconds(const ScalingPlan& plan, const Fabric& fabric, int ranks) {
  double seconds = 0;
  for (const Traffic& line : plan.run.traffic) {
    const auto calls = static_cast<double>(line.calls);
    const double bytes = static_cast<double>(line.bytes) / calls;
    if (is_gradient(line)) continue;
    if (line.collective == "all_to_all") {
      seconds += calls * all_to_all_seconds(fabric, ranks, bytes, plan.run.batch);
    } else if (line.collective == "all_gather") {
      seconds += calls * all_gather_seconds(fabric, ranks, bytes);
    } else {
      seconds += calls * all_reduce_seconds(fabric, ranks, bytes);
    }
  }
  return seconds;
}

std::vector<std::pair<std::string, std::int64_t>> memory_lines(const ScalingPlan& plan) {
  const RankMemory& m = plan.run.memory;
  const bool spatial = plan.method == "pretrain";
  return {{"parameters", m.parameters},
          {"gradients", m.gradients},
          {"optimizer", m.optimizer},
          {spatial ? "momentum encoder" : "teacher", m.frozen},
          {"queue", m.queue},
          {"batch norm statistics", m.buffers},
          {"activations", m.activations},
          {"peak of a step", m.peak}};
}

/// What the training loop itself sends over the ranks: at every step one StepStatus, and at a
/// logged one the means of what is logged and two times of each rank.
std::pair<std::int64_t, std::int64_t> control_bytes(const ScalingPlan& plan) {
  return {16, 8 * plan.run.logged_values + 16};
}

std::string memory_text(const ScalingPlan& plan) {
  std::string all = "memory per rank\n";
  for (const auto& [name, bytes] : memory_lines(plan)) {
    if (bytes != 0) all += row(name, bytes) + "\n";
  }
  return all +
         "  (activations and peak: measured through LibTorch's allocator on the CPU in float32" +
         (plan.run.batch > 4 ? ", at 2 and 4 samples, extrapolated linearly)\n" : ")\n");
}

std::string traffic_text(const ScalingPlan& plan) {
  std::string all = "handed to collectives per rank and step\n";
  for (const Traffic& line : plan.run.traffic)
    all += row(line.purpose, line.bytes) + text("  {} x {}\n", line.collective, line.calls);
  const auto [always, logged] = control_bytes(plan);
  const auto logged_size = size_of(static_cast<double>(logged));
  all += row("control", always);
  all += text("  all_reduce x 1, and {} every {} steps, over MPI\n", logged_size, plan.log_every);
  all += "gradient buckets, in the order in which they are ready\n ";
  for (const Bucket& bucket : plan.run.buckets)
    all += printed(" %s at %.0f %%,", size_of(bucket.bytes).c_str(), 100 * bucket.ready);
  all.back() = ' ';
  return all + "of backward (timed here)\n";
}

/// What a rank would receive if all ranks gathered all images in float32.
std::int64_t reference_gather_bytes(const ScalingPlan& plan, int ranks) {
  constexpr std::int64_t kFloat = 4, kChannels = 3;
  return (ranks - 1) * plan.run.batch * kChannels * plan.size * plan.size * kFloat;
}

std::string images_text(const ScalingPlan& plan) {
  if (plan.method != "pretrain") return "";
  std::string all =
      "shuffle-BN sends the same bytes for any number of ranks; an all-gather of float32 images, "
      "as "
      "in MoCo's code, receives\n ";
  for (const int ranks : plan.worlds) {
    const auto bytes = static_cast<double>(reference_gather_bytes(plan, ranks));
    all += printed(" %s on %d ranks,", size_of(bytes).c_str(), ranks);
  }
  all.back() = '\n';
  return all;
}

std::string prediction_text(const ScalingPlan& plan) {
  if (plan.predictions.empty()) return "no step time is predicted: " + plan.compute.source + "\n";
  std::string all = printed("predicted; compute %.1f ms per step: ", 1000 * plan.compute.seconds) +
                    plan.compute.source + "\n" +
                    "  fabric          ranks global batch      step  efficiency    samples/s\n";
  for (const Prediction& row : plan.predictions) {
    const auto samples = static_cast<double>(plan.run.batch) * row.ranks;
    const double ms = 1000 * row.seconds, percent = 100 * row.efficiency;
    all += printed("  %-14s %6d %12.0f", row.fabric.c_str(), row.ranks, samples);
    all += printed(" %6.1f ms %9.0f %% %12.0f\n", ms, percent, samples / row.seconds);
  }
  return all;
}

}  // namespace

std::vector<Prediction> predict(const ScalingPlan& plan, const std::vector<Fabric>& fabrics) {
  std::vector<Prediction> all;
  const double compute = plan.compute.seconds;
  if (compute <= 0) return all;
  for (const Fabric& fabric : fabrics) {
    for (const int ranks : plan.worlds) {
      const double blocking = blocking_seconds(plan, fabric, ranks);
      const StepTime alone{compute, share_of_backward(plan), blocking, plan.run.buckets};
      const double step = step_seconds(fabric, ranks, alone);
      all.push_back({fabric.name, ranks, step, compute / step});
    }
  }
  return all;
}

std::string plan_text(const ScalingPlan& plan) {
  return text("stc plan {}: ResNet-{}, {} pixels, {} samples per rank; dry run of rank 0 of {}\n",
              plan.method,
              plan.depth,
              plan.size,
              plan.run.batch,
              plan.worlds.front()) +
         memory_text(plan) + traffic_text(plan) + images_text(plan) + prediction_text(plan);
}

std::string plan_json(const ScalingPlan& plan) {
  nlohmann::ordered_json out = {{"method", plan.method},
                                {"depth", plan.depth},
                                {"size", plan.size},
                                {"samples_a_rank", plan.run.batch},
                                {"worlds", plan.worlds}};
  for (const auto& [name, bytes] : memory_lines(plan)) out["memory_bytes"][name] = bytes;
  for (const Traffic& line : plan.run.traffic) {
    out["traffic"].push_back({{"purpose", line.purpose},
                              {"collective", line.collective},
                              {"calls", line.calls},
                              {"bytes", line.bytes}});
  }
  const auto [always, logged] = control_bytes(plan);
  out["control_bytes"] = {
      {"every_step", always}, {"logged_step", logged}, {"log_every", plan.log_every}};
  for (const Bucket& bucket : plan.run.buckets)
    out["buckets"].push_back({{"bytes", bucket.bytes}, {"ready", bucket.ready}});
  if (plan.method == "pretrain") {
    for (const int ranks : plan.worlds) {
      out["reference_image_gather"].push_back(
          {{"ranks", ranks}, {"bytes_received", reference_gather_bytes(plan, ranks)}});
    }
  }
  out["compute"] = {{"seconds", plan.compute.seconds}, {"source", plan.compute.source}};
  out["predictions"] = nlohmann::ordered_json::array();
  for (const Prediction& row : plan.predictions) {
    out["predictions"].push_back({{"fabric", row.fabric},
                                  {"ranks", row.ranks},
                                  {"seconds", row.seconds},
                                  {"efficiency", row.efficiency}});
  }
  return json_text(out, 2) + "\n";
}

}  // namespace stc::launcher
