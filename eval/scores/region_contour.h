// J (region similarity) and F (contour accuracy) of one frame, for every object at once. Integer
// arithmetic up to the last division, so the numbers do not depend on the machine.
#pragma once

#include <vector>

#include "data/images/image.h"

namespace stc::eval {

struct RegionContour {
  double j = 0;  ///< intersection over union; 1 if both masks are empty
  double f = 0;  ///< harmonic mean of boundary precision and recall
};

/// How far two boundaries may lie apart and still match: ceil(0.008 * diagonal), in pixels.
int contour_tolerance(int height, int width);

/// Entry k of the result is object k + 1; `objects` >= 0. Labels above `objects` count as
/// background. The maps have equal sizes.
std::vector<RegionContour> region_and_contour(const data::LabelMap& truth,
                                              const data::LabelMap& prediction,
                                              int objects);

}  // namespace stc::eval
