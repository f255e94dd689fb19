// Frames of a video, read in turn: from a video file by FFmpeg, or from a folder of images.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/images/image.h"

namespace stc::data {

/// What is wrong with a video as far as it was read. Frames are counted from 0.
struct VideoDamage {
  std::int64_t read = 0;                    ///< frames that were decoded until now
  std::int64_t frames = 0;                  ///< of these: concealed by the decoder in part or whole
  std::int64_t lost = 0;                    ///< packets that gave no frame
  std::vector<std::int64_t> first_numbers;  ///< of the first kMaxNamed of both that are known
  std::string cut_short;                    ///< not empty: how the file ends too early

  static constexpr std::size_t kMaxNamed = 10;
  bool any() const { return frames > 0 || lost > 0 || !cut_short.empty(); }
  /// "20 of 40 frames are damaged (at frame 0, 3, ...)".
  std::string say() const;
};

/// Frames of one video, in the order of presentation, as players show them: turned and mirrored as
/// the display matrix says, RGB by the stream's own matrix and range. What is not marked is taken
/// as limited range, by BT.709 from 720 lines, by BT.601 below.
class FrameSource {
 public:
  /// `frames_per_second` > 0 repeats and leaves out frames of a video file to that rate; 0 gives
  /// each frame once, whatever its time. Throws stc::Error: kBadData naming the path if it does not
  /// open or holds no frame, kUsage for a rate of a folder of images.
  static std::unique_ptr<FrameSource> open(const std::string& path, double frames_per_second = 0);
  virtual ~FrameSource() = default;
  /// Nullopt at the end. Throws stc::Error (kBadData) for a frame of another size than the first,
  /// or whose colours cannot be converted.
  std::optional<Image> next() {
    const auto frame = next_frame();
    return frame ? std::optional((*frame)()) : std::nullopt;
  }
  /// The same, decoded only: calling it makes the image, on any thread, and throws as next().
  using DecodedFrame = std::function<Image()>;
  virtual std::optional<DecodedFrame> next_frame() = 0;
  virtual double frames_per_second() const = 0;  ///< on average; 25 if unknown
  /// Of the frames given until now; complete after the last.
  virtual const VideoDamage& damage() const = 0;
  /// What a user should know that the video has: "pixels that are not square ...", "interlaced
  /// frames, ...", "2 video streams, of which ..."; complete after the last frame.
  virtual const std::vector<std::string>& remarks() const = 0;
};

}  // namespace stc::data
