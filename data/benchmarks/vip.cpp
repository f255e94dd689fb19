#include "data/benchmarks/vip.h"

#include <algorithm>
#include <filesystem>

#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

// Users keep the masks in one of three places.
fs::path annotations_of(const fs::path& root) {
  for (const char* folder : {"Category_ids", "Annotations/Category_ids", "Annotations"})
    if (fs::is_directory(root / folder)) return root / folder;
  return {};
}

void check_pairs(const VipSequence& sequence) {
  const auto images = sequence.images.size(), annotations = sequence.annotations.size();
  for (std::size_t i = 0; i < std::min(images, annotations); ++i) {
    const auto stem = fs::path(sequence.images[i]).stem();
    const auto expected =
        fs::path(sequence.annotations[i]).replace_filename(stem.string() + ".png");
    STC_CHECK_DATA(fs::path(sequence.annotations[i]).stem() == stem,
                   "{}: has no annotation; expected {}",
                   sequence.images[i],
                   expected.string());
  }
  STC_CHECK_DATA(images == annotations,
                 "sequence '{}': {} images in {}, {} annotations in {}; expected one per image",
                 sequence.name,
                 images,
                 fs::path(sequence.images.front()).parent_path().string(),
                 annotations,
                 fs::path(sequence.annotations.front()).parent_path().string());
}

}  // namespace

const std::array<const char*, kPartCount> kPartNames = {
    "background", "hat",      "hair",      "sun-glasses", "upper-clothes", "dress",      "coat",
    "socks",      "pants",    "gloves",    "scarf",       "skirt",         "torso-skin", "face",
    "right-arm",  "left-arm", "right-leg", "left-leg",    "right-shoe",    "left-shoe"};

std::vector<VipSequence> open_vip(const std::string& folder, const VipOptions& options) {
  STC_CHECK_DATA(fs::is_directory(folder),
                 "{}: no such folder; expected a VIP root, or a folder of SEQ/*.png",
                 folder);
  const fs::path inner = fs::path(folder) / "VIP_Fine";
  const fs::path root = fs::is_directory(inner) ? inner : fs::path(folder);
  const fs::path images = root / "Images";
  fs::path annotations = annotations_of(root);
  if (options.need_images) {
    STC_CHECK_DATA(
        !annotations.empty() && fs::is_directory(images),
        "{}: is not a VIP root; expected Images/SEQ, and Category_ids/SEQ or Annotations/SEQ",
        root.string());
  }
  if (annotations.empty()) annotations = root;
  const fs::path list = "lists/val_videos.txt";
  const auto names =
      sequence_names(options,
                     {root / list, root.parent_path() / list},
                     annotations,
                     "folders of masks (SEQ/*.png), or a VIP root with Category_ids/SEQ");
  return open_sequences(names, annotations, images, options, check_pairs);
}

LabelMap read_part_labels(const std::string& path) {
  auto map = read_label_png(path);
  for (const auto label : map.labels) {
    STC_CHECK_DATA(label < kPartCount || label == kNoPart,
                   "{}: holds label {}; expected parts 0 to {}, or 255 for unknown",
                   path,
                   int{label},
                   kPartCount - 1);
  }
  return map;
}

}  // namespace stc::data
