// Where to crop: the random boxes of both training steps.
#pragma once

#include "data/random.h"

namespace stc::data {

struct CropBox {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

/// Step 1 (torchvision's rule): ten tries of area U(min_area, 1) and width / height log-uniform in
/// [3/4, 4/3], then the largest centred box within these ratios.
CropBox draw_image_crop(CounterRandom& random, int height, int width, double min_area);

struct CropRange {
  double min_area, min_aspect, max_aspect;
};

/// Step 2: twenty tries of area U(min_area, 1) and width / height log-uniform in
/// [min_aspect, max_aspect], then the centred square. A portrait frame always gets the square, as
/// the authors have it.
CropBox draw_clip_crop(CounterRandom& random, int height, int width, const CropRange& range);

}  // namespace stc::data
