#include "launcher/training/out_of_memory.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <regex>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

using activity::Phase;

constexpr double kMiB = 1024.0 * 1024, kGiB = 1024 * kMiB;

/// The size, such as "2.00 GiB", that stands for `(size)` in the pattern.
double size_in(const std::string& message, std::string pattern) {
  const std::string placeholder = "(size)";
  pattern.replace(
      pattern.find(placeholder), placeholder.size(), "([0-9]+(?:\\.[0-9]+)?) (bytes|KiB|MiB|GiB)");
  std::smatch found;
  if (!std::regex_search(message, found, std::regex(pattern))) return 0;
  const double number = std::stod(found[1]);
  if (found[2] == "KiB") return number * 1024;
  if (found[2] == "MiB") return number * kMiB;
  return found[2] == "GiB" ? number * kGiB : number;
}

std::string size_text(double bytes) {
  char text[32];
  std::snprintf(text,
                sizeof(text),
                bytes < kGiB ? "%.0f MiB" : "%.1f GiB",
                bytes < kGiB ? bytes / kMiB : bytes / kGiB);
  return text;
}

/// What the step had and wanted; or more, if a step before it had more.
double most_of(const FailedAllocation& failed, const FailedStep& step) {
  double most = failed.in_use + failed.asked;
  for (const auto& [phase, bytes] : step.peaks) most = std::max(most, static_cast<double>(bytes));
  return most;
}

/// What this process can have: what it holds, and what is free.
double available(const FailedAllocation& failed) {
  return failed.in_use + failed.reserved + failed.free;
}

double bytes_per_sample(const FailedAllocation& failed, const FailedStep& step) {
  return (most_of(failed, step) - static_cast<double>(step.between_steps)) /
         static_cast<double>(step.samples);
}

std::string peaks_text(const FailedStep& step) {
  if (step.peaks.empty()) return "";
  return text("; most in use by phase: {}; between steps: {}",
              joined(step.peaks,
                     [](const auto& peak) {
                       return text("{} {}",
                                   activity::name(peak.first),
                                   size_text(static_cast<double>(peak.second)));
                     }),
              size_text(static_cast<double>(step.between_steps)));
}

std::string advice(const FailedAllocation& failed, const FailedStep& step) {
  constexpr const char* kLess =
      "lower train.batch_size, raise train.accumulate, or train on more ranks";
  const auto fit = samples_that_fit(failed, step);
  if (fit < 0) return kLess;
  if (fit >= step.samples) {
    return text(
        "the free memory would suffice, but not in one piece: try "
        "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True, or {}",
        kLess);
  }
  const bool at_most = step.phase == Phase::kForward || step.phase == Phase::kDataWait;
  return text(
      "this rank computes {} {} at once, and {} {} would fit, estimated by {} per sample; {}",
      step.samples,
      step.samples == 1 ? "sample" : "samples",
      at_most ? "at most" : "about",
      fit,
      size_text(bytes_per_sample(failed, step)),
      kLess);
}

}  // namespace

FailedAllocation parse_failed_allocation(const std::string& message) {
  return {size_in(message, "Tried to allocate (size)"),
          size_in(message, "total capacity of (size)"),
          size_in(message, "of which (size) is free"),
          size_in(message, "(size) is allocated by PyTorch"),
          size_in(message, "(size) is reserved by PyTorch but unallocated")};
}

std::int64_t samples_that_fit(const FailedAllocation& failed, const FailedStep& step) {
  if (failed.asked <= 0 || failed.in_use <= 0 || step.samples <= 0) return -1;
  const double each = bytes_per_sample(failed, step);
  if (each <= 0) return -1;
  const double room = available(failed) - static_cast<double>(step.between_steps);
  return static_cast<std::int64_t>(std::floor(std::max(room, 0.0) / each));
}

std::string out_of_memory_text(const FailedAllocation& failed, const FailedStep& step) {
  std::string all =
      text("step {}, {}: the GPU's memory does not suffice", step.step, activity::name(step.phase));
  if (failed.asked > 0) {
    all += text(": asked for {}; in use by tensors: {}, reserved beside them: {}, free: {}, of {}",
                size_text(failed.asked),
                size_text(failed.in_use),
                size_text(failed.reserved),
                size_text(failed.free),
                size_text(failed.capacity));
  }
  return all + peaks_text(step) + "; " + advice(failed, step);
}

}  // namespace stc::launcher
