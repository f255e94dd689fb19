#include "launcher/training/throughput.h"

#include <cctype>
#include <cstddef>

#include "dist/versions.h"

namespace stc::launcher {
namespace {

/// In 10^12 per second, dense; 0: not a format of its matrix units. float32 is what the ordinary
/// units do.
struct Peak {
  const char* gpu;  ///< part of its name
  double half, tf32, float32;
};

// The first that fits counts: a special form of a card comes before its general name. From the
// makers' data sheets, where numbers with sparsity are halved.
constexpr Peak kPeaks[] = {{"GB200", 2500, 1250, 80},
                           {"B200", 2250, 1125, 75},
                           {"H200 NVL", 835.5, 417.5, 60},
                           {"H200", 989.4, 494.7, 66.9},
                           {"H100 PCIe", 756, 378, 51.2},
                           {"H100 NVL", 835.5, 417.5, 60},
                           {"H100", 989.4, 494.7, 66.9},
                           {"A100", 312, 156, 19.5},
                           {"L40S", 362.05, 183, 91.6},
                           {"L4", 121, 60, 30.3},
                           {"V100-PCIE", 112, 0, 14},
                           {"V100", 125, 0, 15.7}};

double of_precision(const Peak& peak, const std::string& precision) {
  if (precision == "bf16" || precision == "fp16") return peak.half;
  if (precision == "tf32") return peak.tf32;
  return precision == "float32" ? peak.float32 : 0;
}

/// "NVIDIA L4" has the word "L4", "NVIDIA L40" has not.
bool has_words(const std::string& name, const std::string& words) {
  const auto is_part = [&](std::size_t at) {
    return at < name.size() && std::isalnum(static_cast<unsigned char>(name[at]));
  };
  for (auto at = name.find(words); at != std::string::npos; at = name.find(words, at + 1))
    if ((at == 0 || !is_part(at - 1)) && !is_part(at + words.size())) return true;
  return false;
}

}  // namespace

Throughput throughput(const StepWork& work, double seconds) {
  Throughput result{work.images / seconds, work.floating_point_operations / seconds};
  if (work.peak_per_second)
    result.utilization = result.operations_per_second / *work.peak_per_second;
  return result;
}

std::optional<double> peak_operations_per_second(const std::string& gpu,
                                                 const std::string& precision) {
  for (const Peak& peak : kPeaks) {
    if (!has_words(gpu, peak.gpu)) continue;
    // The half format of a V100 is fp16 alone.
    const bool missing = precision == "bf16" && peak.tf32 == 0;
    const double tera = missing ? 0 : of_precision(peak, precision);
    if (tera > 0) return tera * 1e12;
    return {};
  }
  return {};
}

std::optional<double> peak_operations_per_second(c10::Device device, const std::string& precision) {
  if (!device.is_cuda()) return {};
  const auto gpus = dist::gpus();
  return peak_operations_per_second(gpus.at(static_cast<std::size_t>(device.index())).name,
                                    precision);
}

void ThroughputMeter::add(double images,
                          const std::optional<Operations>& operations,
                          double seconds) {
  if (warm_ && seconds > 0) {
    work_.images += images;
    work_.floating_point_operations += operations ? operations->floating_point : 0;
    seconds_ += seconds;
  }
  warm_ = true;
}

std::optional<Throughput> ThroughputMeter::take() {
  if (seconds_ <= 0) return {};
  work_.peak_per_second = peak_;
  const auto seen = throughput(work_, seconds_);
  work_ = {};
  seconds_ = 0;
  return seen;
}

}  // namespace stc::launcher
