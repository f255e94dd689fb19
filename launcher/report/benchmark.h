// The section of one benchmark: the results of its evaluations in tables, charts and pictures.
#pragma once

#include <string>

#include "launcher/report/evaluations.h"
#include "launcher/report/pictures.h"

namespace stc::launcher {

/// At least one of `evaluations`, all of the form's benchmark.
std::string benchmark_section(const BenchmarkForm& form,
                              const Evaluations& evaluations,
                              const Pictures& pictures);

}  // namespace stc::launcher
