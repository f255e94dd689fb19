#include "launcher/training/device_copies.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/devices.h"

namespace stc::launcher {
namespace {

class DeviceCopiesOn : public test::OnDevice {};

TEST_P(DeviceCopiesOn, BringThereAndBackWhatWasGiven) {
  const Upload upload(device());
  for (const bool pinned : {false, true}) {
    if (pinned && device().is_cpu()) continue;
    auto host = at::randn({1 << 20});
    if (pinned) host = host.pin_memory();
    const auto expected = at::sin(host);
    // Several under way at once, used in another order.
    const auto first = upload.start(host), second = upload.start(host + 1);
    EXPECT_EQ(first.device().type(), device().type());
    upload.finish(second);
    const Download back_second(at::sin(second - 1)), back_first(at::sin(first));
    EXPECT_TRUE(test::close(back_first.wait(), expected, 1e-5, 1e-6));
    EXPECT_TRUE(back_first.wait().is_cpu());
    EXPECT_TRUE(test::close(back_second.wait(), expected, 1e-4, 1e-5));
  }
  EXPECT_FALSE(upload.start({}).defined());
}

INSTANTIATE_TEST_SUITE_P(, DeviceCopiesOn, test::kDevices, test::device_name);

}  // namespace
}  // namespace stc::launcher
