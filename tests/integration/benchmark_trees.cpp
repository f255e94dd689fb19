// benchmark_trees FOLDER: small JHMDB and VIP trees for the shell tests, and inputs that are wrong.
#include <cstdio>
#include <filesystem>

#include "tests/support/davis_files.h"
#include "tests/support/jhmdb_files.h"

namespace stc::test {
namespace {

namespace fs = std::filesystem;

constexpr int kHeight = 96, kWidth = 128, kStep = 4;

// Two clips whose joints march right with the picture.
void write_jhmdb(const fs::path& root) {
  std::string list;
  for (const auto& [clip, frames] : {std::pair<std::string, int>{"jump/a", 5}, {"wave/b", 3}}) {
    write_marching_images(root, clip, frames, kHeight, kWidth, kStep);
    write_joints(root, clip, marching_joints(frames, 24, 20, kStep));
    list +=
        "JHMDB/joint_positions/" + clip + "/joint_positions.mat JHMDB/Rename_Images/" + clip + "\n";
  }
  write_text_file(root / "val_list.txt", list);
  write_text_file(root / "splits" / "jump_test_split1.txt", "a.avi 2\n");
  write_text_file(root / "splits" / "wave_test_split1.txt", "b.avi 1\n");
}

// A body of three parts that marches right with the picture.
data::LabelMap parts(int shift) {
  auto map = label_map(kHeight, kWidth);
  fill_box(map, 16, 24 + shift, 16, 24, 2);
  fill_box(map, 32, 24 + shift, 24, 24, 4);
  fill_box(map, 56, 24 + shift, 24, 24, 8);
  return map;
}

void write_vip(const fs::path& root, const fs::path& pictures) {
  for (const auto& [name, frames] : {std::pair{"videos1", 4}, {"videos12", 3}}) {
    fs::create_directories(root / "Images" / name);
    fs::create_directories(root / "Category_ids" / name);
    for (int t = 0; t < frames; ++t) {
      const std::string stem = "00000000000" + std::to_string(t + 1);
      const auto picture = pictures / ("0000" + std::to_string(t + 1) + ".png");
      fs::copy_file(picture, root / "Images" / name / (stem + ".png"));
      data::write_label_png((root / "Category_ids" / name / (stem + ".png")).string(),
                            parts(kStep * t));
    }
  }
  write_text_file(root / "lists" / "val_videos.txt", "videos12\nvideos1\n");
}

void write_all(const fs::path& folder) {
  write_jhmdb(folder / "JHMDB");
  write_vip(folder / "VIP_Fine", folder / "JHMDB" / "Rename_Images" / "jump" / "a");
  write_mat(folder / "bad" / "other.mat", "pos_world", {2, 15, 5}, marching_joints(5, 24, 20, 4));
  write_mat(folder / "bad" / "misshapen.mat", "pos_img", {15, 2, 5}, marching_joints(5, 24, 20, 4));
  data::write_label_png((folder / "bad" / "label20.png").string(), label_map(kHeight, kWidth, 20));
  data::write_label_png((folder / "bad" / "small.png").string(), label_map(40, 60, 1));
}

}  // namespace
}  // namespace stc::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: benchmark_trees FOLDER\n", stderr);
    return 2;
  }
  stc::test::write_all(argv[1]);
  return 0;
}
