#include "data/packing/label_images.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>

#include "data/file.h"
#include "data/folder_listing.h"
#include "data/images/image.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMaxLabels = 32;  // distinct colours of an image that is still labels

constexpr const char* kNames[] = {"annotations",
                                  "annotation",
                                  "masks",
                                  "mask",
                                  "labels",
                                  "label",
                                  "gt",
                                  "groundtruth",
                                  "ground_truth",
                                  "ground-truth",
                                  "segmentation",
                                  "segmentations",
                                  "segmentationclass",
                                  "segmentationobject",
                                  "instances",
                                  "instance",
                                  "category_ids",
                                  "instance_ids",
                                  "human_ids",
                                  "semantic",
                                  "panoptic",
                                  "segments",
                                  "seg",
                                  "matte",
                                  "puppet_mask",
                                  "puppet_masks",
                                  "annotations_unsupervised"};

std::uint32_t big_endian(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
}

// The first colours of DAVIS, YouTube-VOS, Pascal VOC and what was made after them.
bool has_label_palette(Bytes png) {
  constexpr std::array<std::uint8_t, 9> kColours = {0, 0, 0, 128, 0, 0, 0, 128, 0};
  constexpr std::size_t kHeaderEnd = 33;
  for (std::size_t at = kHeaderEnd; at + 12 <= png.size();
       at += big_endian(png, at) + std::size_t{12}) {
    const std::string kind(png.begin() + static_cast<std::ptrdiff_t>(at) + 4,
                           png.begin() + static_cast<std::ptrdiff_t>(at) + 8);
    if (kind == "IDAT") return false;
    if (kind != "PLTE") continue;
    const auto length =
        std::min<std::size_t>({big_endian(png, at), kColours.size(), png.size() - at - 8});
    return length >= 6 && std::equal(kColours.begin(),
                                     kColours.begin() + static_cast<std::ptrdiff_t>(length),
                                     png.begin() + static_cast<std::ptrdiff_t>(at) + 8);
  }
  return false;
}

bool has_few_colours(Bytes png, const std::string& path) {
  const auto image = decode_image(png, path);
  std::set<std::array<std::uint8_t, 3>> colours;
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    colours.insert({image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]});
    if (colours.size() > kMaxLabels) return false;
  }
  return true;
}

bool is_label_image(const std::string& path, LabelEvidence evidence) {
  constexpr std::size_t kColourType = 25;
  constexpr std::uint8_t kGreyImage = 0, kPaletteImage = 3;
  try {
    const auto bytes = read_file(path);
    if (image_format(bytes) != ImageFormat::kPng || bytes.size() <= kColourType) return false;
    const auto type = bytes[kColourType];
    if (type == kPaletteImage && has_label_palette(bytes)) return true;
    const bool may_be = evidence == LabelEvidence::kName ||
                        (evidence == LabelEvidence::kGrey && type == kGreyImage);
    return may_be && has_few_colours(bytes, path);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

bool is_named_as_labels(const std::string& relative) {
  const std::filesystem::path path(relative);
  return std::any_of(path.begin(), path.end(), [](const std::filesystem::path& part) {
    const auto name = lower_case(part.string());
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
  });
}

bool are_label_images(const std::vector<std::string>& files, LabelEvidence evidence) {
  if (files.empty()) return false;
  for (const auto at : {std::size_t{0}, files.size() / 2, files.size() - 1})
    if (!is_label_image(files[at], evidence)) return false;
  return true;
}

}  // namespace stc::data
