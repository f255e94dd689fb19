// Videos as cameras, phones and downloads bring them, made by the ffmpeg program; and the same
// program as the other decoder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/file.h"
#include "data/images/image.h"

namespace stc::test {

/// Runs `ffmpeg -y ARGUMENTS` through the shell, quietly; fails the test if it fails.
inline void run_ffmpeg(const std::string& arguments) {
  const auto command = "ffmpeg -hide_banner -nostdin -loglevel error -y " + arguments;
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

/// FFmpeg's moving test picture: sharp edges, all colours; no two frames are equal.
inline std::string test_source(int height, int width, int frames, const std::string& rate = "10") {
  return "-f lavfi -i testsrc2=s=" + std::to_string(width) + "x" + std::to_string(height) +
         ":r=" + rate + " -frames:v " + std::to_string(frames) + " ";
}

/// All frames of a video as `ffmpeg -i` shows them, each once, by bit-exact arithmetic. `scale`
/// (":in_color_matrix=bt709") adds options to the conversion to RGB, `filter` ("fps=5,") goes
/// before it.
inline std::vector<data::Image> frames_by_ffmpeg(const std::string& path,
                                                 int height,
                                                 int width,
                                                 const std::string& scale = "",
                                                 const std::string& filter = "") {
  constexpr char kExact[] = "bicubic+accurate_rnd+bitexact+full_chroma_int";
  const auto raw = path + ".rgb";
  run_ffmpeg("-sws_flags " + std::string(kExact) + " -i '" + path +
             "' -fps_mode passthrough -vf '" + filter + "scale=flags=" + kExact + scale +
             ",format=rgb24' -f rawvideo '" + raw + "'");
  std::vector<data::Image> frames;
  std::FILE* file = std::fopen(raw.c_str(), "rb");
  for (auto frame = data::blank_image(height, width); file != nullptr;) {
    if (std::fread(frame.pixels.data(), 1, frame.pixels.size(), file) != frame.pixels.size()) break;
    frames.push_back(frame);
  }
  if (file != nullptr) std::fclose(file);
  std::remove(raw.c_str());
  return frames;
}

/// Overwrites the display matrix of an mp4 or mov file of one track: x' = a x + c y, y' = b x + d
/// y.
inline void set_display_matrix(const std::string& path, int a, int b, int c, int d) {
  auto bytes = data::read_file(path);
  constexpr std::string_view kTrackHeader = "tkhd";
  const auto box =
      std::search(bytes.begin(), bytes.end(), kTrackHeader.begin(), kTrackHeader.end());
  ASSERT_LT(box - bytes.begin(), static_cast<std::ptrdiff_t>(bytes.size()) - 80);
  const std::int32_t one = 1 << 16;
  const std::int32_t matrix[9] = {a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30};
  for (int i = 0; i < 9; ++i) {
    for (int byte = 0; byte < 4; ++byte)
      *(box + 44 + 4 * i + byte) = static_cast<std::uint8_t>(matrix[i] >> (24 - 8 * byte));
  }
  data::write_file(path, bytes);
}

/// Position and size of each packet of the first stream, by ffprobe.
inline std::vector<std::pair<std::int64_t, std::int64_t>> packet_positions(
    const std::string& path) {
  const auto list = path + ".packets";
  const auto command =
      "ffprobe -v error -select_streams v -show_entries packet=pos,size -of "
      "csv=p=0:s=x '" +
      path + "' > '" + list + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::vector<std::pair<std::int64_t, std::int64_t>> packets;
  std::istringstream lines(data::read_text(list));
  std::int64_t size = 0, position = 0;
  for (std::string line; std::getline(lines, line);) {
    if (std::sscanf(line.c_str(), "%ldx%ld", &size, &position) == 2)
      packets.emplace_back(position, size);
  }
  std::remove(list.c_str());
  return packets;
}

}  // namespace stc::test
