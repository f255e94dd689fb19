#include "launcher/planning/compute_time.h"

#include <cmath>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

struct Gpu {
  const char* name;
  double within_node;  ///< bus bandwidth by nccl-tests on 8 of them, bytes per second
};

// NVLink 4 of H100 and H200 has twice the bandwidth of an A100's. For the V100 there is no number:
// the A100's.
constexpr Gpu kGpus[] = {{"a100", 232.5e9}, {"v100", 232.5e9}, {"h100", 480e9}, {"h200", 480e9}};

constexpr double kOperations18 = 1.82 / 4.09;  // of ResNet-50's

/// Samples per second of one GPU with ResNet-50 at 224 pixels, as its maker or the method's authors
/// published them.
struct PublishedSpeed {
  const char* gpu;
  bool half;
  double samples;   ///< per second
  double of_step1;  ///< how much longer step 1 takes than what was measured
  const char* source;
};

constexpr PublishedSpeed kPublished[] = {
    {"a100",
     true,
     2470,
     4.0 / 3,
     "A100, supervised ResNet-50 in mixed precision at 2,470 images/s"},
    {"a100", false, 938, 4.0 / 3, "A100, supervised ResNet-50 in TF32 at 938 images/s"},
    {"v100", false, 168, 1, "V100, MoCo v1 with ResNet-50 at 168 images/s per GPU (53 h on 8)"}};

/// Steps of stc itself on one H200.
struct MeasuredStep {
  const char* method;
  std::int64_t depth;
  bool half;  ///< bf16 and channels_last; else convolutions in TF32
  std::int64_t size, batch;
  double seconds;
  const char* work;
};

constexpr MeasuredStep kMeasured[] = {
    {"pretrain", 50, true, 224, 256, 0.0999, "step 1, ResNet-50, 256 images of 224"},
    {"pretrain", 50, false, 224, 256, 0.1725, "step 1, ResNet-50, 256 images of 224"},
    {"train", 18, true, 256, 16, 0.0602, "step 2, ResNet-18, 16 clips of 256"},
    {"train", 18, false, 256, 16, 0.0621, "step 2, ResNet-18, 16 clips of 256"},
    {"train", 50, true, 256, 16, 0.0788, "step 2, ResNet-50, 16 clips of 256"},
    {"train", 50, false, 256, 16, 0.1075, "step 2, ResNet-50, 16 clips of 256"}};

// An H100's arithmetic units are those of an H200; its memory is slower (SXM: 3.35 and 4.8 TB/s). A
// step that memory alone holds up takes this much longer, any other one less.
constexpr double kSlowerH100 = 4.8 / 3.35;

bool is_half(const std::string& precision) { return precision != "float32" && precision != "tf32"; }

double area(std::int64_t size, std::int64_t of) {
  return std::pow(static_cast<double>(size) / static_cast<double>(of), 2);
}

ComputeTime published(const std::string& gpu, const PlannedStep& step) {
  if (step.method != "pretrain") {
    return {0,
            text("no time for step 2 on a {} is known; --gpu h200 has one, or measure one and give "
                 "--step-seconds",
                 gpu)};
  }
  for (const PublishedSpeed& known : kPublished) {
    if (known.gpu != gpu || known.half != (is_half(step.precision) && gpu == "a100")) continue;
    const double image = area(step.size, 224) * (step.depth == 18 ? kOperations18 : 1);
    std::string source = text("assumed from {}", known.source);
    if (known.of_step1 > 1) source += ", times 4/3 for the key encoder's forward";
    if (image != 1) source += ", scaled by operations";
    return {static_cast<double>(step.batch) / known.samples * known.of_step1 * image, source};
  }
  throw Error(Exit::kFailed, text("no speed of a {} in the table", gpu));
}

ComputeTime measured(const std::string& gpu, const PlannedStep& step) {
  const std::int64_t depth = step.method == "pretrain" ? 50 : step.depth;
  for (const MeasuredStep& known : kMeasured) {
    if (known.method != step.method || known.depth != depth ||
        known.half != is_half(step.precision))
      continue;
    const double work = static_cast<double>(step.batch) / static_cast<double>(known.batch) *
                        area(step.size, known.size) * (depth != step.depth ? kOperations18 : 1);
    std::string source =
        text("assumed from stc at revision 2019fe2 (November 2026) on one H200, {}, {}: {} ms",
             known.work,
             known.half ? "bf16, channels_last" : "convolutions in TF32",
             1000 * known.seconds);
    if (work != 1) source += ", scaled by operations";
    if (work < 1 && step.method == "train")
      source += " (smaller steps take longer than that: kernel launches bound the measured one)";
    if (gpu == "h200") return {known.seconds * work, source};
    source +=
        "; no H100 was measured: times 4.8 / 3.35, the ratio of the memories' bandwidths, which is "
        "the most that it can be, since the arithmetic units are the same";
    return {known.seconds * work * kSlowerH100, source};
  }
  throw Error(Exit::kFailed, text("no time of {} in the table", step.method));
}

const Gpu& gpu_named(const std::string& name) {
  for (const Gpu& gpu : kGpus) {
    if (gpu.name == name) return gpu;
  }
  throw Error(Exit::kUsage,
              text("--gpu is '{}'; expected one of {}, or give --step-seconds",
                   name,
                   joined(kGpus, &Gpu::name)));
}

}  // namespace

ComputeTime compute_time(const std::string& gpu, const PlannedStep& step) {
  gpu_named(gpu);
  return gpu == "h100" || gpu == "h200" ? measured(gpu, step) : published(gpu, step);
}

double bandwidth_within_node(const std::string& gpu) { return gpu_named(gpu).within_node; }

}  // namespace stc::launcher
