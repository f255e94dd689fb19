// Listens for scrapers. prometheus-cpp only by name in this header.
#pragma once

#include <memory>

#include "monitoring/metrics.h"

namespace prometheus {
class Exposer;
}

namespace stc::monitoring {

/// A taken port is a warning and another free one is used. Throws stc::Error (kUsage) where the
/// address is none of this host.
std::unique_ptr<prometheus::Exposer> listen_for_scrapers(const MetricsOptions& options);

}  // namespace stc::monitoring
