// Memory of this process as the operating system counts it, read when a scraper asks: the run pays
// nothing for it. prometheus-cpp only by name in this header.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace prometheus {
class Collectable;
}

namespace stc::monitoring {

/// stc_resident_memory_bytes, with these labels.
std::shared_ptr<prometheus::Collectable> resident_memory(
    const std::map<std::string, std::string>& labels);

}  // namespace stc::monitoring
