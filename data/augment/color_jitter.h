// Colour changes in place, with the meaning of torchvision's tensor operations on uint8.
#pragma once

#include <cstdint>

namespace stc::data {

/// `rgb` holds three planes of `pixels` bytes each. Factors are >= 0; 1 changes nothing (0 for the
/// hue). Results are cut to 0..255 and truncated, as torchvision does.
void adjust_brightness(std::uint8_t* rgb, std::int64_t pixels, double factor);
void adjust_contrast(std::uint8_t* rgb,
                     std::int64_t pixels,
                     double factor);  ///< towards the mean luma
void adjust_saturation(std::uint8_t* rgb,
                       std::int64_t pixels,
                       double factor);  ///< towards each pixel's luma
/// Turns the hue by `turn` of the colour circle, -0.5..0.5. In exact HSV: PIL's own hue is in steps
/// of 1/256 turn.
void adjust_hue(std::uint8_t* rgb, std::int64_t pixels, double turn);
/// Each pixel's luma (ITU-R 601) in all three planes.
void make_gray(std::uint8_t* rgb, std::int64_t pixels);

}  // namespace stc::data
