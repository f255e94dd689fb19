// Small JHMDB trees for tests.
#pragma once

#include <matio.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/images/image.h"

namespace stc::test {

/// A MATLAB 5 file with one compressed variable, in MATLAB's order (the first index is the
/// fastest).
inline void write_mat(const std::filesystem::path& path,
                      const std::string& name,
                      std::vector<std::size_t> dims,
                      std::vector<double> values) {
  std::filesystem::create_directories(path.parent_path());
  mat_t* file = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
  if (file == nullptr) throw std::runtime_error("cannot write " + path.string());
  matvar_t* variable = Mat_VarCreate(name.c_str(),
                                     MAT_C_DOUBLE,
                                     MAT_T_DOUBLE,
                                     static_cast<int>(dims.size()),
                                     dims.data(),
                                     values.data(),
                                     MAT_F_DONT_COPY_DATA);
  Mat_VarWrite(file, variable, MAT_COMPRESSION_ZLIB);
  Mat_VarFree(variable);
  Mat_Close(file);
}

/// Fifteen joints in three rows of five, as JHMDB counts (from 1), that move right by `step` pixels
/// a frame: x and y, joint by joint, frame by frame.
inline std::vector<double> marching_joints(int frames, double left, double top, double step) {
  std::vector<double> values;
  for (int t = 0; t < frames; ++t) {
    for (int joint = 0; joint < 15; ++joint) {
      const int row = joint / 5, column = joint % 5;
      values.push_back(left + 12 * column + step * t + 1);
      values.push_back(top + 12 * row + 1);
    }
  }
  return values;
}

inline void write_joints(const std::filesystem::path& root,
                         const std::string& clip,
                         const std::vector<double>& values) {
  write_mat(root / "joint_positions" / clip / "joint_positions.mat",
            "pos_img",
            {2, 15, values.size() / 30},
            values);
}

/// A textured patch, `step` pixels further right in each frame: Rename_Images/CLIP/00001.png ...
inline void write_marching_images(const std::filesystem::path& root,
                                  const std::string& clip,
                                  int frames,
                                  int height,
                                  int width,
                                  int step) {
  const auto folder = root / "Rename_Images" / clip;
  std::filesystem::create_directories(folder);
  for (int t = 0; t < frames; ++t) {
    data::Image image{height, width, {}};
    for (int y = 0; y < height; ++y)
      for (int x = -step * t; x < width - step * t; ++x)
        for (int c = 0; c < 3; ++c)
          image.pixels.push_back(static_cast<std::uint8_t>((x + 4096) / 8 * 97 + y / 8 * 57 +
                                                           (x + 4096) / 8 * (y / 8) * 31 + c * 80));
    const auto number = std::to_string(t + 1);
    data::write_png((folder / (std::string(5 - number.size(), '0') + number + ".png")).string(),
                    image);
  }
}

}  // namespace stc::test
