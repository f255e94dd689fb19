#include "data/weights/safetensors.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "data/file.h"
#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using ::testing::HasSubstr;

// The format by hand: length, header, data.
std::vector<std::uint8_t> file_of(const std::string& header, const std::string& data) {
  std::vector<std::uint8_t> bytes(8 + header.size() + data.size());
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  std::memcpy(bytes.data() + 8 + header.size(), data.data(), data.size());
  return bytes;
}

std::string error_of(const std::string& path) {
  try {
    read_safetensors(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    return error.what();
  }
  return "";
}

TEST(SafeTensors, GiveBackWhatWasWritten) {
  const test::TemporaryFolder folder;
  NamedTensors tensors;
  for (const auto type : {at::kDouble,
                          at::kFloat,
                          at::kHalf,
                          at::kBFloat16,
                          at::kLong,
                          at::kInt,
                          at::kShort,
                          at::kChar,
                          at::kByte,
                          at::kBool}) {
    tensors[at::toString(type)] = at::randint(0, 2, {3, 5}).to(type);
  }
  tensors["scalar"] = at::tensor(4.5);
  tensors["empty"] = at::empty({0, 7});
  tensors["transposed"] = at::arange(6).view({2, 3}).t();
  write_safetensors(folder / "all.safetensors", tensors, {{"key", "value \"quoted\""}});

  const auto back = read_safetensors(folder / "all.safetensors");
  EXPECT_EQ(back.metadata, (std::map<std::string, std::string>{{"key", "value \"quoted\""}}));
  ASSERT_EQ(back.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(back.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(back.tensors.at(name), tensor)) << name;
  }
}

TEST(SafeTensors, WritesEqualBytesForEqualTensors) {
  const test::TemporaryFolder folder;
  const auto values = at::rand({4, 4});
  write_safetensors(folder / "a", {{"x", values}, {"y", values}});
  write_safetensors(folder / "b", {{"y", values.clone()}, {"x", values.t().contiguous().t()}});
  EXPECT_EQ(read_file(folder / "a"), read_file(folder / "b"));
}

TEST(SafeTensors, AlignsEachTensorToItsType) {
  const test::TemporaryFolder folder;
  write_safetensors(folder / "a",
                    {{"a", at::ones({3}, at::kByte)}, {"b", at::ones({1}, at::kDouble)}});
  const auto bytes = read_file(folder / "a");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  EXPECT_THAT(std::string(bytes.begin() + 8, bytes.begin() + 8 + length),
              HasSubstr(R"("b":{"data_offsets":[0,8])"));
}

TEST(SafeTensors, ReadsAFileMadeByHand) {
  const test::TemporaryFolder folder;
  write_file(folder / "x",
             file_of(R"({"t":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]}} )", "ab"));
  const auto tensor = read_safetensors(folder / "x").tensors.at("t");
  EXPECT_TRUE(at::equal(tensor, at::tensor({97, 98}, at::kByte).view({2, 1})));
}

TEST(SafeTensors, RefusesOffsetsThatDoNotTileTheData) {
  const test::TemporaryFolder folder;
  const auto path = folder / "x";
  const std::pair<const char*, const char*> cases[] = {
      {R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[0,3]}})", "does not fit its shape"},
      {R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", "does not fit its shape"},
      {R"({"t":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", "cut short"},
      {R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "after its last tensor"},
      {R"({"t":{"dtype":"U8","shape":[-3],"data_offsets":[0,3]}})", "shape"},
      {R"({"t":{"dtype":"U8","shape":[3],"data_offsets":[3,0]}})", "does not fit its shape"},
      {R"({"t":{"dtype":"F8","shape":[3],"data_offsets":[0,3]}})", "dtype F8"},
      {R"({"t":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", "shape"},
      {R"({"t":{"shape":[3],"data_offsets":[0,3]}})", "dtype"},
      {R"({"t":3})", "tensor t"},
      {R"([1])", "JSON object"},
      {R"({"__metadata__":{"a":1}})", "__metadata__ a"},
  };
  for (const auto& [header, complaint] : cases) {
    write_file(path, file_of(header, "abc"));
    EXPECT_THAT(error_of(path), HasSubstr(path + ": ")) << header;
    EXPECT_THAT(error_of(path), HasSubstr(complaint)) << header;
  }
}

TEST(SafeTensors, NamesAFileThatIsMissingOrForeign) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(error_of(folder / "none"), HasSubstr("none: cannot be opened: No such file"));
  write_file(folder / "png", std::vector<std::uint8_t>(64, 0x89));
  EXPECT_THAT(error_of(folder / "png"), HasSubstr("is not a safetensors file"));
  EXPECT_THAT(error_of(folder / ""), HasSubstr("is not a file"));
}

TEST(SafeTensors, RefusesEveryTruncation) {
  const test::TemporaryFolder folder;
  write_safetensors(folder / "whole", {{"a", at::rand({5})}, {"b", at::ones({3}, at::kByte)}});
  const auto whole = read_file(folder / "whole");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_file(folder / "cut", std::span(whole).first(length));
    EXPECT_THAT(error_of(folder / "cut"), HasSubstr("cut: ")) << length;
  }
}

TEST(SafeTensors, ReadsOrRefusesWhateverByteIsFlipped) {
  const test::TemporaryFolder folder;
  write_safetensors(folder / "whole", {{"a", at::rand({5})}}, {{"k", "v"}});
  const auto whole = read_file(folder / "whole");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] ^= 0x15;
    write_file(folder / "x", damaged);
    try {
      read_safetensors(folder / "x");
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kBadData) << at;
    }
  }
}

TEST(SafeTensors, LeaveNoFileWhereWritingFails) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(write_safetensors(folder / "none/x", {{"a", at::ones({1})}}), Error);
  EXPECT_THROW(write_safetensors(folder / "x", {{"a", at::ones({1}, at::kComplexFloat)}}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace stc::data
