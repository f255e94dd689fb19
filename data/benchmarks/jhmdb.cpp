#include "data/benchmarks/jhmdb.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>

#include "data/benchmarks/clip_lists.h"
#include "data/benchmarks/sequence_files.h"
#include "data/folder_listing.h"
#include "data/result_folder.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kJointsFile = "joint_positions.mat";
constexpr const char* kSplitEnding = "_test_split1.txt";

// What a list says about a clip, before anything is looked for on the disk.
struct ListedClip {
  std::string list;    // for errors
  std::string joints;  // as written
  std::string images;
};

bool is_jhmdb(const fs::path& component) { return ::strcasecmp(component.c_str(), "jhmdb") == 0; }

// A list's paths start at JHMDB/ (whatever the user calls that folder), at the root, or are those
// of the machine it was written on.
fs::path resolved(const fs::path& root, const std::string& written) {
  const fs::path path = without_slash(written);
  if (path.is_absolute() && fs::exists(path)) return path;
  fs::path tail = path.relative_path();
  for (auto part = path.begin(); part != path.end(); ++part) {
    if (!is_jhmdb(*part)) continue;
    tail.clear();
    for (auto rest = std::next(part); rest != path.end(); ++rest) tail /= *rest;
  }
  return root / tail;
}

ListedClip clip_named(const std::string& list, const fs::path& name) {
  return {list,
          (fs::path("joint_positions") / name / kJointsFile).string(),
          (fs::path("Rename_Images") / name).string()};
}

bool is_joints_column(const fs::path& column) {
  return column.extension() == ".mat" ||
         std::find(column.begin(), column.end(), "joint_positions") != column.end();
}

// "<clip>.avi 1|2" of <class>_test_split1.txt; only 2 is tested: 1 is for training, 0 for nothing.
std::optional<ListedClip> clip_of_split_line(const std::string& list,
                                             const std::string& clip,
                                             const std::string& part) {
  const auto file = fs::path(list).filename().string();
  const auto end = file.find("_test_split");
  STC_CHECK_DATA(end != std::string::npos,
                 "{}: holds '{} {}'; expected the name <class>_test_split<number>.txt of such a "
                 "list, as it gives the class",
                 list,
                 clip,
                 part);
  if (part != "2") return std::nullopt;
  return clip_named(list, fs::path(file.substr(0, end)) / fs::path(clip).stem());
}

// "<joint_positions.mat> <image folder>", in either order.
ListedClip clip_of_paths(const std::string& list,
                         const std::string& line,
                         std::string first,
                         std::string second) {
  const bool joints_first = is_joints_column(first);
  STC_CHECK_DATA(joints_first != is_joints_column(second),
                 "{}: holds the line '{}'; expected one path to {} and one to a folder of images",
                 list,
                 line,
                 kJointsFile);
  if (!joints_first) std::swap(first, second);
  if (fs::path(first).extension() != ".mat") first = (fs::path(first) / kJointsFile).string();
  return {list, first, second};
}

std::vector<ListedClip> read_clip_list(const std::string& list) {
  const auto expected = "'<joint_positions.mat> <image folder>' or '<clip>.avi 1|2'";
  std::vector<ListedClip> clips;
  for (const auto& line : read_list(list, expected)) {
    std::istringstream columns(line);
    std::string first, second, more;
    columns >> first >> second >> more;
    STC_CHECK_DATA(!second.empty() && more.empty(),
                   "{}: holds the line '{}'; expected {}",
                   list,
                   line,
                   expected);
    if (second.size() == 1 && std::isdigit(static_cast<unsigned char>(second[0])) != 0) {
      if (auto clip = clip_of_split_line(list, first, second)) clips.push_back(std::move(*clip));
    } else {
      clips.push_back(clip_of_paths(list, line, first, second));
    }
  }
  return clips;
}

std::vector<ListedClip> read_split_folder(const std::string& folder) {
  std::vector<ListedClip> clips;
  bool is_found = false;
  for (const auto& list : list_files(folder, {".txt"})) {
    if (!list.ends_with(kSplitEnding)) continue;
    is_found = true;
    const auto listed = read_clip_list(list);
    clips.insert(clips.end(), listed.begin(), listed.end());
  }
  STC_CHECK_DATA(is_found, "{}: holds no list; expected <class>{}", folder, kSplitEnding);
  return clips;
}

std::vector<ListedClip> all_clips(const fs::path& root) {
  const auto joints = root / "joint_positions";
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(joints)) {
    if (entry.path().filename() == kJointsFile)
      names.push_back(entry.path().parent_path().lexically_relative(joints).string());
  }
  std::sort(names.begin(), names.end(), natural_less);
  std::vector<ListedClip> clips;
  for (const auto& name : names) clips.push_back(clip_named(joints.string(), name));
  return clips;
}

std::vector<ListedClip> clips_of(const fs::path& list) {
  return fs::is_directory(list) ? read_split_folder(list) : read_clip_list(list);
}

std::vector<ListedClip> listed_clips(const fs::path& root, const std::string& split) {
  fs::path list = split;
  if (list.empty() && fs::exists(root / "val_list.txt")) list = root / "val_list.txt";
  if (list.empty() && fs::is_directory(root / "splits")) list = root / "splits";
  const auto clips = list.empty() ? all_clips(root) : clips_of(list);
  if (list.empty())
    log::info(
        "no list of clips ({} is absent, and no --split is given): all {} with joints are "
        "taken",
        (root / "val_list.txt").string(),
        clips.size());
  STC_CHECK_DATA(!clips.empty(),
                 "{}: lists no clip to evaluate; expected '<joint_positions.mat> <image folder>' "
                 "or '<clip>.avi 2' per line",
                 split.empty() ? root.string() : split);
  return clips;
}

void check_is_there(const ListedClip& listed, const JhmdbClip& clip, const fs::path& path) {
  STC_CHECK_DATA(fs::exists(path),
                 "{}: lists clip '{}', which is absent: there is no {}",
                 listed.list,
                 clip.name,
                 path.string());
}

// The number that a frame's name ends in: 7 of "00007", "img_007".
std::optional<std::int64_t> frame_number(const fs::path& image) {
  const auto stem = image.stem().string();
  const auto digits = stem.substr(stem.find_last_not_of("0123456789") + 1);
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  return std::stoll(digits);
}

// Joints have no names: those of frame n belong to image n, so that no image may be absent.
void check_frame_numbers(const JhmdbClip& clip) {
  const auto first = frame_number(clip.images.front()).value_or(-1);
  for (std::size_t i = 0; i < clip.images.size(); ++i) {
    const auto expected = first + static_cast<std::int64_t>(i);
    STC_CHECK_DATA((first == 0 || first == 1) && frame_number(clip.images[i]) == expected,
                   "{}: is image {} of its folder; expected frame {}. Joints belong to the images "
                   "by number, from 00001.png on, so that none may be missing",
                   clip.images[i],
                   i + 1,
                   first == 0 || first == 1 ? expected : 1);
  }
}

JhmdbClip open_clip(const fs::path& root, const ListedClip& listed, const JhmdbOptions& options) {
  const auto joints = resolved(root, listed.joints), images = resolved(root, listed.images);
  JhmdbClip clip;
  clip.name = (images.parent_path().filename() / images.filename()).string();
  clip.joints = joints.string();
  clip.fault = fault_of(options.keep_faulty, [&] {
    check_is_there(listed, clip, joints);
    if (!options.need_images && !fs::is_directory(images)) return;
    check_is_there(listed, clip, images);
    clip.images = frame_files(images.string(), {".png", ".jpg", ".jpeg"});
    STC_CHECK_DATA(
        !clip.images.empty(), "{}: holds no image; expected 00001.png ...", images.string());
    check_frame_numbers(clip);
  });
  return clip;
}

}  // namespace

const std::array<const char*, kJointCount> kJointNames = {"neck",
                                                          "belly",
                                                          "face",
                                                          "right-shoulder",
                                                          "left-shoulder",
                                                          "right-hip",
                                                          "left-hip",
                                                          "right-elbow",
                                                          "left-elbow",
                                                          "right-knee",
                                                          "left-knee",
                                                          "right-wrist",
                                                          "left-wrist",
                                                          "right-ankle",
                                                          "left-ankle"};
const std::array<int, kJointCount> kJointParents = {0, 0, 0, 0, 0, 1, 1, 3, 4, 5, 6, 7, 8, 9, 10};

std::vector<JhmdbClip> open_jhmdb(const std::string& folder, const JhmdbOptions& options) {
  const fs::path outer = without_slash(folder);
  const bool is_outer = fs::is_directory(outer / "JHMDB" / "joint_positions");
  const fs::path root = is_outer ? outer / "JHMDB" : outer;
  STC_CHECK_DATA(fs::is_directory(root / "joint_positions"),
                 "{}: is not a JHMDB root; expected joint_positions/CLASS/CLIP/{} and "
                 "Rename_Images/CLASS/CLIP",
                 folder,
                 kJointsFile);
  std::vector<JhmdbClip> clips;
  std::set<std::string> seen;
  for (const auto& listed : listed_clips(root, options.split)) {
    clips.push_back(open_clip(root, listed, options));
    STC_CHECK_DATA(seen.insert(clips.back().name).second,
                   "{}: clip '{}' is listed twice; every clip may be listed once",
                   listed.list,
                   clips.back().name);
  }
  return clips;
}

}  // namespace stc::data
