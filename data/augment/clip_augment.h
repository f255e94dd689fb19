// Step 2: one random crop shared by the two frames of a clip, in RGB and in Lab.
#pragma once

#include <cstdint>
#include <span>

#include "data/augment/crop.h"
#include "data/images/image.h"
#include "data/random.h"

namespace stc::data {

struct ClipOptions {
  int size = 256;     ///< side of the square crop in pixels, a multiple of 32
  int frame_gap = 1;  ///< target frame = reference frame + gap, >= 1, shortened for shorter videos
  double min_area = 0.6;    ///< smallest crop, as a fraction of the frame's area
  double min_aspect = 1.5;  ///< width / height of the crop before it is squeezed into a square
  double max_aspect = 2.0;
  bool with_lab = true;  ///< false: RGB alone; on a GPU Lab is made there (LabTable)

  void check() const;  ///< throws stc::Error (kUsage) naming the option and the rule
};

/// Everything random about a clip's view; both frames share it.
struct ClipView {
  CropBox crop;
  bool flip = false;  ///< p = 0.5
};

/// Entries of the two frames within their video.
struct ClipFrames {
  std::int64_t reference = 0;
  std::int64_t target = 0;
};

ClipView draw_clip_view(CounterRandom& random, int height, int width, const ClipOptions& options);

/// A uniform start; the gap is shortened to frames - 1 if the video is shorter. frames >= 2.
ClipFrames draw_clip_frames(CounterRandom& random, std::int64_t frames, int frame_gap);

/// Crops, resizes to size x size (bilinear between the four nearest pixels, not antialiased, aspect
/// not kept) and flips one frame. Fills `rgb`, 3 * size * size bytes, and `lab`, as many floats
/// or none: (L - 50) / 50, a / 127, b / 127.
void render_clip_frame(const Image& frame,
                       const ClipView& view,
                       int size,
                       std::span<std::uint8_t> rgb,
                       std::span<float> lab);

/// OpenCV's threads would compete with the loader's: after this each call runs on its caller's
/// thread, in the whole process.
void run_opencv_on_the_callers_thread();

}  // namespace stc::data
