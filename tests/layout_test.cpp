// The walls between the folders, and between the rooms of a folder, read from the tree: an include
// points down, never up or sideways, and each foreign library stays in the one folder that speaks
// for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace stc::test {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kMaxLines = 400;

/// What each folder may include, besides itself.
const std::map<std::string, std::set<std::string>> kBelow = {
    {"launcher", {"eval", "models", "data", "dist", "monitoring"}},
    {"eval", {"models", "data", "dist", "monitoring"}},
    {"models", {"monitoring"}},
    {"data", {"monitoring"}},
    {"dist", {"monitoring"}},
    {"monitoring", {}},
};

/// What each room may include, besides itself and what lies flat in its folder.
const std::map<std::string, std::set<std::string>> kRoomsBelow = {
    {"launcher/config", {}},
    {"launcher/run_folder", {"config"}},
    {"launcher/report", {}},
    {"launcher/packing", {}},
    {"launcher/training", {"config", "run_folder"}},
    {"launcher/evaluation", {"config", "run_folder", "report", "training"}},
    {"launcher/planning", {"config", "run_folder", "training"}},
    {"launcher/checks", {"config", "run_folder", "training"}},
    {"launcher/supervision", {"config", "run_folder", "training"}},
    {"data/images", {}},
    {"data/augment", {"images"}},
    {"data/shards", {"images"}},
    {"data/loading", {"images", "augment", "shards"}},
    {"data/packing", {"images", "shards", "video"}},
    {"data/video", {"images"}},
    {"data/weights", {}},
    {"data/benchmarks", {"images"}},
    {"data/synthetic", {"images"}},
    {"eval/propagation", {}},
    {"eval/scores", {}},
    {"eval/drawing", {}},
    {"eval/jobs", {"propagation", "scores", "drawing"}},
};

/// The one flat file that includes rooms: it wires them.
const std::string kMain = "launcher/main.cpp";

/// How many .cpp files may lie flat in a folder with rooms.
const std::map<std::string, int> kMaxFlat = {{"launcher", 8}, {"data", 12}, {"eval", 0}};

/// Prefix of a foreign include, and the only folder whose .cpp files may have it.
const std::map<std::string, std::string> kHome = {
    {"mpi.h", "dist"},
    {"nccl.h", "dist"},
    {"torch/csrc/distributed/", "dist"},
    {"opencv2/", "data"},
    {"libavcodec/", "data"},
    {"libavformat/", "data"},
    {"libavutil/", "data"},
    {"libswscale/", "data"},
    {"wels/", "data"},
    {"hdf5.h", "data"},
    {"jpeglib.h", "data"},
    {"png.h", "data"},
    {"matio.h", "data"},
    {"zlib.h", "data"},
    {"spdlog/", "monitoring"},
    {"prometheus/", "monitoring"},
    {"microhttpd.h", "monitoring"},
};

/// A room whose own headers may include its library, as other rooms see only these of them.
const std::string kFfmpegRoom = "data/video";
const std::set<std::string> kSeenOfFfmpegRoom = {"data/video/frame_source.h",
                                                 "data/video/video_writer.h"};

/// Includes that a folder may not have at all: monitoring knows no tensors, models no files.
const std::multimap<std::string, std::string> kForbidden = {
    {"monitoring", "torch/"},
    {"monitoring", "ATen/"},
    {"monitoring", "c10/"},
    {"models", "fstream"},
    {"models", "filesystem"},
};

bool is_header(const std::string& path) { return path.ends_with(".h") || path.ends_with(".cuh"); }

/// The path between the quotes or brackets of an #include line, or "".
std::string included(const std::string& line) {
  const std::size_t word = line.find_first_not_of(" \t");
  if (word == std::string::npos || !line.substr(word).starts_with("#include")) return "";
  const std::size_t begin = line.find_first_of("\"<", word);
  const std::size_t end = line.find_first_of("\">", begin + 1);
  if (begin == std::string::npos || end == std::string::npos) return "";
  return line.substr(begin + 1, end - begin - 1);
}

/// "launcher/training" of "launcher/training/trainer.h"; "launcher" of "launcher/version.h".
std::string room_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// What is wrong with an include between rooms of one folder, or "".
std::string room_fault(const std::string& path, const std::string& include) {
  const std::string from = room_of(path), to = room_of(include);
  if (!kRoomsBelow.contains(to) || from == to || path == kMain) return "";
  const std::string folder = path.substr(0, path.find('/'));
  if (!to.starts_with(folder + "/")) return "";  // a matter of the folders' walls
  const auto below = kRoomsBelow.find(from);
  if (below != kRoomsBelow.end() && below->second.contains(to.substr(folder.size() + 1))) return "";
  return from + " may not include " + to;
}

/// What is wrong with one include of the file `path` (relative to the root), or "".
std::string include_fault(const std::string& path, const std::string& include) {
  const std::string folder = path.substr(0, path.find('/'));
  const std::string target = include.substr(0, include.find('/'));
  if (kBelow.contains(target) && include != target && target != folder &&
      !kBelow.at(folder).contains(target))
    return folder + " may not include " + target;
  if (const std::string fault = room_fault(path, include); !fault.empty()) return fault;
  if (is_header(path) && include == "torch/torch.h") return "torch/torch.h belongs in no header";
  if (room_of(include) == kFfmpegRoom && room_of(path) != kFfmpegRoom &&
      !path.starts_with("tests/") && !kSeenOfFfmpegRoom.contains(include))
    return include + " is private to " + kFfmpegRoom;
  const bool is_seen = room_of(path) != kFfmpegRoom || kSeenOfFfmpegRoom.contains(path);
  for (const auto& [prefix, home] : kHome)
    if (include.starts_with(prefix) && (folder != home || (is_header(path) && is_seen)))
      return "only " + home + "/*.cpp may include " + prefix;
  const auto [first, last] = kForbidden.equal_range(folder);
  for (auto rule = first; rule != last; ++rule)
    if (include.starts_with(rule->second)) return folder + " may not include " + rule->second;
  return "";
}

std::vector<std::string> faults_of(const std::string& path, std::istream& text) {
  std::vector<std::string> faults;
  std::string line;
  int number = 0;
  while (std::getline(text, line)) {
    ++number;
    const std::string fault = include_fault(path, included(line));
    if (!fault.empty()) faults.push_back(path + ":" + std::to_string(number) + ": " + fault);
  }
  if (number > kMaxLines)
    faults.push_back(path + ": " + std::to_string(number) + " lines; at most " +
                     std::to_string(kMaxLines) + " (one concept a file)");
  return faults;
}

std::vector<std::string> faults_of(const std::string& path, const std::string& text) {
  std::istringstream stream(text);
  return faults_of(path, stream);
}

std::vector<std::string> sources() {
  std::vector<std::string> paths;
  for (const auto& [folder, below] : kBelow)
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(STC_SOURCE_DIR) / folder))
      if (const std::string kind = entry.path().extension();
          kind == ".h" || kind == ".cpp" || kind == ".cu" || kind == ".cuh")
        paths.push_back(fs::relative(entry.path(), STC_SOURCE_DIR));
  return paths;
}

TEST(Layout, EveryFolderKeepsToItsWalls) {
  std::vector<std::string> faults;
  for (const std::string& path : sources()) {
    std::ifstream file(fs::path(STC_SOURCE_DIR) / path);
    ASSERT_TRUE(file) << path;
    for (const std::string& fault : faults_of(path, file)) faults.push_back(fault);
  }
  EXPECT_THAT(faults, IsEmpty());
}

TEST(Layout, EveryFileOfAFolderWithRoomsLiesInAKnownOne) {
  std::map<std::string, int> flat;
  for (const std::string& path : sources()) {
    const std::string folder = path.substr(0, path.find('/')), room = room_of(path);
    if (!kMaxFlat.contains(folder)) continue;
    if (room == folder)
      flat[folder] += !is_header(path);
    else
      EXPECT_TRUE(kRoomsBelow.contains(room)) << path;
  }
  for (const auto& [folder, most] : kMaxFlat) EXPECT_LE(flat[folder], most) << folder;
}

TEST(Layout, SeesTheFilesOfEveryFolder) {
  const std::vector<std::string> found = sources();
  for (const auto& [folder, below] : kBelow)
    EXPECT_THAT(found, Contains(::testing::StartsWith(folder + "/"))) << folder;
  for (const auto& [room, below] : kRoomsBelow)
    EXPECT_THAT(found, Contains(::testing::StartsWith(room + "/"))) << room;
}

TEST(Layout, CatchesAnIncludeThatPointsUpOrSideways) {
  EXPECT_THAT(faults_of("monitoring/log.cpp", "#include \"launcher/trainer.h\"\n"), SizeIs(1));
  EXPECT_THAT(faults_of("models/resnet.cpp", "#include <set>\n  #include \"data/image.h\"\n"),
              ElementsAre(HasSubstr("models/resnet.cpp:2: models may not include data")));
  EXPECT_THAT(faults_of("eval/x.cpp", "#include \"models/resnet.h\"\n"), IsEmpty());
}

TEST(Layout, CatchesAnIncludeBetweenRoomsThatPointsUpOrSideways) {
  EXPECT_THAT(faults_of("launcher/config/schema.h", "#include \"launcher/training/trainer.h\"\n"),
              ElementsAre(HasSubstr("launcher/config may not include launcher/training")));
  EXPECT_THAT(faults_of("launcher/version.cpp", "#include \"launcher/config/schema.h\"\n"),
              SizeIs(1));
  EXPECT_THAT(faults_of("data/weights/x.cpp", "#include \"data/images/image.h\"\n"), SizeIs(1));
  EXPECT_THAT(faults_of("launcher/training/x.cpp", "#include \"launcher/config/schema.h\"\n"),
              IsEmpty());
  EXPECT_THAT(faults_of("launcher/training/x.cpp", "#include \"launcher/version.h\"\n"), IsEmpty());
  EXPECT_THAT(faults_of("launcher/main.cpp", "#include \"launcher/config/schema.h\"\n"), IsEmpty());
}

TEST(Layout, CatchesALibraryAwayFromHome) {
  EXPECT_THAT(faults_of("launcher/x.cpp", "#include <mpi.h>\n"), SizeIs(1));
  EXPECT_THAT(faults_of("data/image.h", "#include <opencv2/core.hpp>\n"), SizeIs(1));
  EXPECT_THAT(faults_of("data/image.cpp", "#include <opencv2/core.hpp>\n"), IsEmpty());
  EXPECT_THAT(faults_of("data/video/ffmpeg.h", "#include <libavutil/frame.h>\n"), IsEmpty());
  EXPECT_THAT(faults_of("data/video/frame_source.h", "#include <libavutil/frame.h>\n"), SizeIs(1));
  EXPECT_THAT(faults_of("eval/x.cpp", "#include \"data/video/ffmpeg.h\"\n"), SizeIs(1));
  EXPECT_THAT(faults_of("models/x.h", "#include <torch/torch.h>\n"), SizeIs(1));
  EXPECT_THAT(faults_of("models/x.cpp", "#include <torch/torch.h>\n"), IsEmpty());
  EXPECT_THAT(faults_of("monitoring/x.cpp", "#include <ATen/ATen.h>\n"), SizeIs(1));
}

TEST(Layout, CatchesAFileThatGrewTooLong) {
  std::string text;
  for (int line = 0; line < kMaxLines; ++line) text += "\n";
  EXPECT_THAT(faults_of("eval/x.cpp", text), IsEmpty());
  EXPECT_THAT(faults_of("eval/x.cpp", text + "\n"), SizeIs(1));
}

/// The project's paths in backticks of a document: `launcher/main.cpp`; `models/b.{h,cpp}` are two.
std::vector<std::string> paths_named_in(const std::string& document) {
  static const std::regex path("`([a-z_]+(?:/[a-z_0-9]+)+)\\.(h|cpp|sh|\\{h,cpp\\})`");
  std::vector<std::string> paths;
  for (std::sregex_iterator at(document.begin(), document.end(), path), end; at != end; ++at) {
    const std::string stem = (*at)[1], kind = (*at)[2];
    if (!fs::is_directory(fs::path(STC_SOURCE_DIR) / stem.substr(0, stem.find('/')))) continue;
    if (kind != "{h,cpp}") {
      paths.push_back(stem + "." + kind);
    } else {
      paths.push_back(stem + ".h");
      paths.push_back(stem + ".cpp");
    }
  }
  return paths;
}

TEST(Layout, FilesThatContributingNamesExist) {
  std::ifstream file(fs::path(STC_SOURCE_DIR) / "CONTRIBUTING.md");
  std::stringstream document;
  document << file.rdbuf();
  const std::vector<std::string> paths = paths_named_in(document.str());
  EXPECT_GE(paths.size(), 40U) << "the two walks alone name about forty files";
  for (const std::string& path : paths)
    EXPECT_TRUE(fs::exists(fs::path(STC_SOURCE_DIR) / path)) << path;
}

TEST(Layout, FindsThePathsThatADocumentNames) {
  EXPECT_THAT(paths_named_in("see `models/resnet.h`, `data/x/y.{h,cpp}` and `train.steps`"),
              ElementsAre("models/resnet.h", "data/x/y.h", "data/x/y.cpp"));
}

}  // namespace
}  // namespace stc::test
