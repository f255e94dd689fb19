#include "data/weights/torch_file.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/file.h"
#include "monitoring/check.h"
#include "tests/support/golden_folder.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using testing::HasSubstr;

// torch.save of {"epoch": 3, "state_dict": OrderedDict(...), "best": [...], "args":
// Namespace(...)}.
class TorchFile : public testing::TestWithParam<std::string> {
 protected:
  std::string error_of(const std::vector<std::uint8_t>& bytes) const {
    const auto path = folder_ / "file.pth";
    write_file(path, bytes);
    try {
      read_torch_file(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kBadData) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("file.pth: "));
      return error.what();
    }
    return "";
  }

  const std::string path_ = test::golden_folder() + "/torch_" + GetParam() + ".pth";
  test::TemporaryFolder folder_;
};

TEST_P(TorchFile, GivesTensorsOfDictsByTheirKeys) {
  const auto tensors = read_torch_file(path_);
  const auto base = at::arange(12, at::kFloat);
  const NamedTensors expected = {
      {"state_dict.grid", base.view({3, 4})},
      {"state_dict.turned", base.view({3, 4}).t()},  // of the same storage
      {"state_dict.tail", base.slice(0, 7)},
      {"state_dict.half", at::tensor({0.5, -2.0}).to(at::kHalf)},
      {"state_dict.count", at::scalar_tensor(7, at::kLong)},
      {"state_dict.mask", at::tensor({1, 0}).to(at::kBool)},
      {"state_dict.none", at::zeros({0})},
      {"state_dict.weight", at::ones({2, 1})},  // a parameter
  };
  ASSERT_EQ(tensors.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(tensors.contains(name)) << name;
    EXPECT_EQ(tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(tensors.at(name), tensor)) << name;
  }
}

TEST_P(TorchFile, CutAnywhereIsAnError) {
  const auto whole = read_file(path_);
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}), "")
        << length;
}

// What was flipped may be a number or a name; whatever it is, the file is read or refused.
TEST_P(TorchFile, AFlippedByteIsReadOrRefused) {
  const auto whole = read_file(path_);
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      auto bytes = whole;
      bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ flip);
      refused += error_of(bytes).empty() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 100);
}

INSTANTIATE_TEST_SUITE_P(Forms, TorchFile, testing::Values("zip", "old"), [](const auto& info) {
  return info.param;
});

TEST(TorchFileOfAnotherKind, IsRefused) {
  const test::TemporaryFolder folder;
  write_file(folder / "text.pth", std::vector<std::uint8_t>(100, 'a'));
  try {
    read_torch_file(folder / "text.pth");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("text.pth: was not written by torch.save"));
  }
}

}  // namespace
}  // namespace stc::data
