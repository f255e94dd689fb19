// The report as one HTML file that needs nothing else: style, charts and pictures are inside.
#pragma once

#include <map>
#include <string>

#include "launcher/report/pictures.h"
#include "launcher/report/runs.h"

namespace stc::launcher {

/// `pictures` by benchmark.
std::string report_page(const ReportedRuns& runs, const std::map<std::string, Pictures>& pictures);

}  // namespace stc::launcher
