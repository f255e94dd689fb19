#include "data/benchmarks/jhmdb.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <sstream>

#include "data/benchmarks/sequence_files.h"
#include "data/images/frame_source.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kJointsFile = "joint_positions.mat";
constexpr const char* kSplitEnding = "_test_split1.txt";

// What a list says of a clip, before anything is looked for on the disk.
struct Listed {
  std::string list;    // for errors
  std::string joints;  // as written
  std::string images;
};

bool is_jhmdb(const fs::path& component) {
  auto name = component.string();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return name == "jhmdb";
}

fs::path without_last_slash(const fs::path& path) {
  const auto normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// A list's paths start at JHMDB/ (whatever the user calls that folder), at the root, or are those
// of the machine it was written on.
fs::path resolved(const fs::path& root, const std::string& written) {
  auto path = without_last_slash(written);
  if (path.is_absolute() && fs::exists(path)) return path;
  fs::path tail = path.relative_path();
  for (auto part = path.begin(); part != path.end(); ++part) {
    if (!is_jhmdb(*part)) continue;
    tail.clear();
    for (auto rest = std::next(part); rest != path.end(); ++rest) tail /= *rest;
  }
  return root / tail;
}

bool is_joints_column(const fs::path& column) {
  return column.extension() == ".mat" ||
         std::find(column.begin(), column.end(), "joint_positions") != column.end();
}

// "<clip>.avi 1|2" of <class>_test_split1.txt.
void add_split_line(const std::string& list,
                    const std::string& clip,
                    const std::string& part,
                    std::vector<Listed>* listed) {
  const auto file = fs::path(list).filename().string();
  const auto end = file.find("_test_split");
  STC_CHECK_DATA(end != std::string::npos,
                 "{}: holds '{} {}'; expected the name <class>_test_split<number>.txt of such a "
                 "list, as it gives the class",
                 list,
                 clip,
                 part);
  if (part != "2") return;  // 1 is for training, 0 for nothing
  const auto name = fs::path(file.substr(0, end)) / fs::path(clip).stem();
  listed->push_back({list,
                     (fs::path("joint_positions") / name / kJointsFile).string(),
                     (fs::path("Rename_Images") / name).string()});
}

void read_clip_list(const std::string& list, std::vector<Listed>* listed) {
  const auto expected = "'<joint_positions.mat> <image folder>' or '<clip>.avi 1|2'";
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
      add_split_line(list, first, second, listed);
      continue;
    }
    const bool joints_first = is_joints_column(first);
    STC_CHECK_DATA(joints_first != is_joints_column(second),
                   "{}: holds the line '{}'; expected one path to {} and one to a folder of images",
                   list,
                   line,
                   kJointsFile);
    if (!joints_first) std::swap(first, second);
    if (fs::path(first).extension() != ".mat") first = (fs::path(first) / kJointsFile).string();
    listed->push_back({list, first, second});
  }
}

void read_split_folder(const std::string& folder, std::vector<Listed>* listed) {
  bool is_found = false;
  for (const auto& list : list_files(folder, {".txt"})) {
    if (!list.ends_with(kSplitEnding)) continue;
    is_found = true;
    read_clip_list(list, listed);
  }
  STC_CHECK_DATA(is_found, "{}: holds no list; expected <class>{}", folder, kSplitEnding);
}

void list_all(const fs::path& root, std::vector<Listed>* listed) {
  std::vector<std::string> names;
  const auto joints = root / "joint_positions";
  for (const auto& entry : fs::recursive_directory_iterator(joints)) {
    if (entry.path().filename() == kJointsFile)
      names.push_back(entry.path().parent_path().lexically_relative(joints).string());
  }
  std::sort(names.begin(), names.end(), natural_less);
  for (const auto& name : names)
    listed->push_back({joints.string(),
                       (fs::path("joint_positions") / name / kJointsFile).string(),
                       (fs::path("Rename_Images") / name).string()});
}

std::vector<Listed> listed_clips(const fs::path& root, const std::string& split) {
  std::vector<Listed> listed;
  const auto read = [&](const fs::path& path) {
    if (fs::is_directory(path)) return read_split_folder(path.string(), &listed);
    read_clip_list(path.string(), &listed);
  };
  if (!split.empty()) {
    read(split);
  } else if (fs::exists(root / "val_list.txt")) {
    read(root / "val_list.txt");
  } else if (fs::is_directory(root / "splits")) {
    read(root / "splits");
  } else {
    list_all(root, &listed);
  }
  STC_CHECK_DATA(!listed.empty(),
                 "{}: lists no clip to evaluate; expected '<joint_positions.mat> <image folder>' "
                 "or '<clip>.avi 2' a line",
                 split.empty() ? root.string() : split);
  return listed;
}

void check_is_there(const Listed& listed, const JhmdbClip& clip, const fs::path& path) {
  STC_CHECK_DATA(fs::exists(path),
                 "{}: lists clip '{}', which is absent: there is no {}",
                 listed.list,
                 clip.name,
                 path.string());
}

JhmdbClip open_clip(const fs::path& root, const Listed& listed, const JhmdbOptions& options) {
  const auto joints = resolved(root, listed.joints), images = resolved(root, listed.images);
  JhmdbClip clip;
  clip.name = (images.parent_path().filename() / images.filename()).string();
  clip.joints = joints.string();
  clip.fault = fault_of(options.keep_faulty, [&] {
    check_is_there(listed, clip, joints);
    if (!options.need_images && !fs::is_directory(images)) return;
    check_is_there(listed, clip, images);
    clip.images = list_files(images.string(), {".png", ".jpg", ".jpeg"});
    STC_CHECK_DATA(
        !clip.images.empty(), "{}: holds no image; expected 00001.png ...", images.string());
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
  const fs::path outer = without_last_slash(folder);
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
