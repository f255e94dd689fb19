#include "monitoring/resident_memory.h"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <unistd.h>

#include <fstream>

namespace stc::monitoring {
namespace {

class ResidentMemory : public prometheus::Collectable {
 public:
  explicit ResidentMemory(const std::map<std::string, std::string>& labels) {
    family_.name = "stc_resident_memory_bytes";
    family_.help = "Host memory that this process holds.";
    family_.type = prometheus::MetricType::Gauge;
    family_.metric.resize(1);
    for (const auto& [name, value] : labels) family_.metric[0].label.push_back({name, value});
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    double total = 0, resident = 0;  // pages
    std::ifstream("/proc/self/statm") >> total >> resident;
    auto family = family_;
    family.metric[0].gauge.value = resident * static_cast<double>(sysconf(_SC_PAGESIZE));
    return {family};
  }

 private:
  prometheus::MetricFamily family_;
};

}  // namespace

std::shared_ptr<prometheus::Collectable> resident_memory(
    const std::map<std::string, std::string>& labels) {
  return std::make_shared<ResidentMemory>(labels);
}

}  // namespace stc::monitoring
