#include "data/packing/sources.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>

#include "data/folder_listing.h"
#include "data/images/image.h"
#include "data/images/media_type.h"
#include "data/packing/label_images.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

enum class Wanted { kImages, kVideos };

constexpr char kBesideVideos[] =
    " beside videos, taken for thumbnails or stills and not for a clip";
constexpr char kLabels[] = ", masks or other labels; name their folder itself to take them";
constexpr char kNotSupported[] = " (not supported; convert to JPEG or PNG)";

std::string file_name(const std::string& path) { return fs::path(path).filename().string(); }

std::string name_below(const fs::path& path, const fs::path& root) {
  const auto name = path.lexically_relative(root).string();
  return name != "." && !name.empty() ? name : fs::canonical(path).filename().string();
}

/// What a folder is that is not searched; "" if it is searched.
std::string kind_to_pass(const std::string& name, Wanted wanted, bool beside_frames) {
  static const std::set<std::string> kSystem = {"@eadir",
                                                "#recycle",
                                                "#snapshot",
                                                "@recycle",
                                                "__macosx",
                                                "lost+found",
                                                "$recycle.bin",
                                                "system volume information"};
  static const std::set<std::string> kThumbnails = {
      "thmbnl", "thumb", "thumbs", "thumbnail", "thumbnails"};
  const auto plain = lower_case(name);
  if (kSystem.contains(plain)) return "system folder";
  if (plain.starts_with('.')) return "hidden folder";
  if (beside_frames && plain.starts_with("annotations")) return "annotation folder";
  if (wanted == Wanted::kVideos && kThumbnails.contains(plain)) return "thumbnail folder";
  return "";
}

/// Searches one source.
class Search {
 public:
  Search(const std::string& root, Wanted wanted, FoundSources& found)
      : root_(root), wanted_(wanted), found_(found) {}

  void run() {
    visit(root_);
    for (std::size_t i = 0; i < folders_.size(); ++i) search_folder(folders_[i]);
  }

 private:
  struct Content {
    std::vector<std::string> images, videos, others;
  };

  void visit(const std::string& folder) {
    std::error_code error;
    const auto real = fs::canonical(folder, error);
    if (error) {
      found_.faults.push_back(text("{}: cannot be accessed: {}", folder, error.message()));
    } else if (seen_.insert(real).second) {
      folders_.push_back(folder);
    } else {
      found_.left_out.add("link", " to a folder that is searched already", folder);
    }
  }

  void search_folder(const std::string folder) {  // a copy: folders_ grows
    std::vector<FolderEntry> entries;
    try {
      entries = list_folder(folder);
    } catch (const Error& cause) {
      found_.faults.push_back(cause.what());
      return;
    }
    ++found_.folders;
    const bool beside_frames = std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
      return entry.kind == FolderEntry::Kind::kFolder &&
             lower_case(file_name(entry.path)).starts_with("jpegimages");
    });
    Content content;
    for (const auto& entry : entries) take(entry, beside_frames, content);
    if (wanted_ == Wanted::kImages) {
      take_images(folder, content);
    } else {
      take_videos(folder, content);
    }
  }

  void take(const FolderEntry& entry, bool beside_frames, Content& content) {
    using enum FolderEntry::Kind;
    const auto name = file_name(entry.path);
    if (entry.kind == kFolder) {
      const auto kind = kind_to_pass(name, wanted_, beside_frames);
      if (kind.empty()) return visit(entry.path);
      found_.left_out.add(kind,
                          beside_frames && kind == "annotation folder" ? " beside JPEGImages" : "",
                          entry.path);
    } else if (entry.kind == kSpecial) {
      found_.left_out.add("special file", " (pipes, sockets, devices)", entry.path);
    } else if (entry.kind == kBroken) {
      // Editors lock files by hidden links that lead nowhere.
      if (!is_hidden(entry.path)) return found_.faults.push_back(entry.fault);
      found_.left_out.add("hidden broken link", "", entry.path);
    } else {
      ++found_.files;
      sort_in(entry.path, content);
    }
  }

  void sort_in(const std::string& path, Content& content) {
    if (has_ending(path, {".part", ".crdownload", ".ytdl", ".partial", ".download"})) {
      content.others.push_back(path);  // beside the pictures of a download that is not finished
      return found_.left_out.add("unfinished download", "", path);
    }
    if (has_ending(path, {".lrv", ".lrf"})) {
      content.others.push_back(path);
      return found_.left_out.add("low-resolution file", " of a camera, copies of its videos", path);
    }
    try {
      const auto type =
          is_named_as_image(path) ? MediaType{MediaKind::kImage, ""} : media_type(path);
      if (type.kind == MediaKind::kImage) return content.images.push_back(path);
      if (type.kind == MediaKind::kVideo) return content.videos.push_back(path);
      leave_out(path, type);
    } catch (const Error& cause) {
      found_.faults.push_back(cause.what());
    }
  }

  void leave_out(const std::string& path, const MediaType& type) {
    if (type.kind == MediaKind::kOtherImage) {
      found_.left_out.add(text("{} image", type.name), kNotSupported, path);
    } else if (type.kind == MediaKind::kAudio) {
      found_.left_out.add("audio file", "", path);
    } else {
      const auto ending = lower_case(fs::path(path).extension().string());
      found_.left_out.add(
          ending.empty() || ending.size() > 8 ? "other file" : text("{} file", ending),
          " (neither image nor video)",
          path);
    }
  }

  LabelEvidence evidence_of(const std::string& folder) const {
    if (is_named_as_labels(fs::path(folder).lexically_relative(root_).string()))
      return LabelEvidence::kName;
    return wanted_ == Wanted::kVideos ? LabelEvidence::kGrey : LabelEvidence::kNone;
  }

  bool holds_labels(const std::string& folder, const std::vector<std::string>& images) const {
    return folder != root_ && are_label_images(images, evidence_of(folder));
  }

  void leave_out_all(const std::vector<std::string>& paths, const char* noun, const char* reason) {
    for (const auto& path : paths) found_.left_out.add(noun, reason, path);
  }

  void take_images(const std::string& folder, const Content& content) {
    leave_out_all(content.videos, "video", "; `stc pack videos` takes them");
    if (holds_labels(folder, content.images))
      return leave_out_all(content.images, "label image", kLabels);
    for (const auto& path : content.images)
      found_.sources.push_back({name_below(path, root_), path});
  }

  void take_videos(const std::string& folder, Content& content) {
    for (const auto& path : content.videos)
      found_.sources.push_back({name_below(path, root_), path});
    if (!content.videos.empty() || !content.others.empty())
      return leave_out_all(content.images, "image", kBesideVideos);
    if (holds_labels(folder, content.images))
      return leave_out_all(content.images, "label image", kLabels);
    take_out_masks(content.images);
    if (!content.images.empty())
      found_.sources.push_back({name_below(folder, root_), folder, content.images});
  }

  /// Of a folder with 0.jpg, 0.png, 1.jpg, 1.png, ... the masks.
  void take_out_masks(std::vector<std::string>& images) {
    std::set<std::string> stems;
    for (const auto& path : images)
      if (!has_ending(path, {".png"})) stems.insert(fs::path(path).stem());
    std::vector<std::string> masks, frames;
    for (const auto& path : images)
      (has_ending(path, {".png"}) && stems.contains(fs::path(path).stem()) ? masks : frames)
          .push_back(path);
    if (!are_label_images(masks, LabelEvidence::kName)) return;
    leave_out_all(masks, "label image", kLabels);
    images = frames;
  }

  std::string root_;
  Wanted wanted_;
  FoundSources& found_;
  std::vector<std::string> folders_;
  std::set<fs::path> seen_;
};

/// Lines of a text file; a path in it may be absolute or relative to the list's folder.
void add_listed(const std::string& list, FoundSources& found) {
  const auto type = media_type(list);
  STC_CHECK_DATA(type.name[0] == '\0',
                 "{}: is of the format {}; expected JPEG or PNG, a folder, or a text file with one "
                 "path per line",
                 list,
                 type.name);
  std::ifstream file(list);
  bool is_first = true;
  for (std::string line; std::getline(file, line); is_first = false) {
    STC_CHECK_DATA(line.find('\0') == std::string::npos,
                   "{}: is not a folder, an image, or a text file with one path per line",
                   list);
    if (is_first && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // Windows' mark of UTF-8
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (line.empty()) continue;
    ++found.files;
    found.sources.push_back({line, (fs::path(list).parent_path() / line).string()});
  }
}

void add_source(const std::string& source, Wanted wanted, FoundSources& found) {
  const auto entry = entry_at(source);
  STC_CHECK_DATA(entry.kind != FolderEntry::Kind::kBroken, "{}", entry.fault);
  if (entry.kind == FolderEntry::Kind::kFolder) return Search(source, wanted, found).run();
  if (wanted == Wanted::kImages && !is_image_file(source)) return add_listed(source, found);
  ++found.files;
  found.sources.push_back({file_name(source), source});
}

/// The same file or folder, found twice: by sources that overlap.
void take_out_doubles(FoundSources& found) {
  std::set<std::string> seen;
  std::erase_if(found.sources, [&](const PackSource& source) {
    const bool is_new = seen.insert(fs::absolute(source.path).lexically_normal().string()).second;
    const auto count = std::max<std::size_t>(source.frames.size(), 1);
    for (std::size_t i = 0; !is_new && i < count; ++i)
      found.left_out.add("file", " named twice by the sources", source.path);
    return !is_new;
  });
}

FoundSources find_all(const std::vector<std::string>& sources, const char* what, Wanted wanted) {
  FoundSources found;
  for (const auto& source : sources) {
    const auto before = found.sources.size() + found.faults.size();
    add_source(source, wanted, found);
    const auto& kinds = found.left_out.all();
    STC_CHECK_DATA(found.sources.size() + found.faults.size() > before,
                   "{}: holds no {}{}{}",
                   source,
                   what,
                   kinds.empty() ? "" : "; left out: ",
                   joined(kinds, &PackRemark::line, "; "));
  }
  take_out_doubles(found);
  std::sort(found.sources.begin(), found.sources.end(), [](const auto& a, const auto& b) {
    return a.name != b.name ? natural_less(a.name, b.name) : natural_less(a.path, b.path);
  });
  return found;
}

}  // namespace

FoundSources find_images(const std::vector<std::string>& sources) {
  return find_all(sources, "JPEG or PNG image", Wanted::kImages);
}

FoundSources find_videos(const std::vector<std::string>& sources) {
  return find_all(sources, "video file or folder of images", Wanted::kVideos);
}

}  // namespace stc::data
