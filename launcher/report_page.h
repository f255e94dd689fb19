// The report as one HTML file that needs nothing else: style, charts and pictures are inside.
#pragma once

#include <map>
#include <string>

#include "launcher/report_pictures.h"
#include "launcher/report_runs.h"

namespace stc::launcher {

/// `pictures` by benchmark.
std::string report_page(const ReportedRuns& runs, const std::map<std::string, Pictures>& pictures);

}  // namespace stc::launcher
