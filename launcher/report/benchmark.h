// The section of one benchmark: what its evaluations found, in tables, charts and pictures.
#pragma once

#include <string>
#include <vector>

#include "launcher/report/evaluations.h"
#include "launcher/report/pictures.h"

namespace stc::launcher {

/// `evaluations` are of the form's benchmark, at least one.
std::string benchmark_section(const BenchmarkForm& form,
                              const std::vector<ReportedEvaluation>& evaluations,
                              const Pictures& pictures);

}  // namespace stc::launcher
