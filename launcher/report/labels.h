// Labels under which a reader can tell evaluations apart.
#pragma once

#include "launcher/report/evaluations.h"

namespace stc::launcher {

/// Labels that are equal within a benchmark get the settings that differ, or else the path.
Evaluations with_distinct_labels(Evaluations evaluations);

}  // namespace stc::launcher
