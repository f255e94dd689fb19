// Listens for scrapers. prometheus-cpp only by name in this header.
#pragma once

#include <memory>

#include "monitoring/metrics.h"

namespace prometheus {
class Exposer;
}

namespace stc::monitoring {

/// When the port is taken, a free one is used, with a warning. Throws stc::Error (kUsage) if the
/// address is not one of this host.
std::unique_ptr<prometheus::Exposer> listen_for_scrapers(const MetricsOptions& options);

}  // namespace stc::monitoring
