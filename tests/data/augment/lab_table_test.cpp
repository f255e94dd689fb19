#include "data/augment/lab_table.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "data/augment/clip_augment.h"
#include "tests/support/devices.h"

namespace stc::data {
namespace {

class LabTableOn : public test::OnDevice {};

// All 2^24 colours as one picture of 4096 x 4096 pixels; no two neighbours of it are as in the
// pictures that the table is made from.
TEST_P(LabTableOn, IsTheLabOfTheCpuToTheBitForEveryColour) {
  constexpr std::int64_t kSide = 4096, kColours = kSide * kSide, kStride = 1'000'003;
  Image image = blank_image(kSide, kSide);
  for (std::int64_t i = 0, colour = 0; i < kColours; ++i) {
    for (int channel = 0; channel < 3; ++channel)
      image.pixels[3 * i + channel] = static_cast<std::uint8_t>(colour >> (16 - 8 * channel));
    colour = (colour + kStride) % kColours;  // odd, so that every colour comes once
  }
  const auto rgb = at::empty({1, 3, kSide, kSide}, at::kByte);
  const auto lab = at::empty({1, 3, kSide, kSide}, at::kFloat);
  render_clip_frame(image,
                    {{0, 0, kSide, kSide}, false},
                    kSide,
                    {rgb.mutable_data_ptr<std::uint8_t>(), 3 * kColours},
                    {lab.mutable_data_ptr<float>(), 3 * kColours});
  EXPECT_TRUE(at::equal(LabTable(device())(rgb.to(device())).cpu(), lab));
}

INSTANTIATE_TEST_SUITE_P(, LabTableOn, test::kDevices, test::device_name);

}  // namespace
}  // namespace stc::data
