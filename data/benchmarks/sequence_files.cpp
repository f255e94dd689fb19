#include "data/benchmarks/sequence_files.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "data/folder_listing.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

std::string trimmed(const std::string& line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> read_split(const std::string& path) {
  auto names = read_list(path, "one sequence name");
  std::set<std::string> seen;
  for (const auto& name : names) {
    STC_CHECK_DATA(seen.insert(name).second,
                   "{}: sequence '{}' is listed twice; every sequence may be listed once",
                   path,
                   name);
  }
  return names;
}

std::vector<std::string> annotated_sequences(const fs::path& folder, const std::string& expected) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && !list_files(entry.path(), {".png"}).empty())
      names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end(), natural_less);
  STC_CHECK_DATA(!names.empty(), "{}: holds no sequence; expected {}", folder.string(), expected);
  return names;
}

std::vector<std::string> files_of_sequence(const fs::path& folder,
                                           const std::string& name,
                                           const std::vector<std::string>& endings) {
  const auto sequence = (folder / name).string();
  STC_CHECK_DATA(
      fs::is_directory(sequence),
      "{}: no such folder; sequence '{}' was asked for. Give the right split, or complete the data",
      sequence,
      name);
  auto files = list_files(sequence, endings);
  STC_CHECK_DATA(
      !files.empty(), "{}: holds no frame; expected files ending in {}", sequence, endings.front());
  return files;
}

}  // namespace

std::vector<std::string> read_list(const std::string& path, const std::string& expected) {
  std::ifstream file(path);
  STC_CHECK_DATA(fs::is_regular_file(path) && file,
                 "{}: the split file cannot be read; expected a text file with {} per line",
                 path,
                 expected);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    line = trimmed(line);
    if (!line.empty()) lines.push_back(line);
  }
  STC_CHECK_DATA(!lines.empty(), "{}: lists no sequence; expected {} per line", path, expected);
  return lines;
}

std::vector<std::string> sequence_names(const SequenceOptions& options,
                                        const std::vector<fs::path>& lists,
                                        const fs::path& annotations,
                                        const std::string& expected) {
  if (!options.names.empty()) return options.names;
  if (!options.split.empty()) return read_split(options.split);
  for (const auto& list : lists)
    if (fs::exists(list)) return read_split(list);
  return annotated_sequences(annotations, expected);
}

std::vector<AnnotatedSequence> open_sequences(const std::vector<std::string>& names,
                                              const fs::path& annotations,
                                              const fs::path& images,
                                              const SequenceOptions& options,
                                              void (*check)(const AnnotatedSequence&)) {
  std::vector<AnnotatedSequence> sequences;
  for (const auto& name : names) {
    AnnotatedSequence sequence;
    sequence.name = name;
    sequence.fault = fault_of(options.keep_faulty, [&] {
      sequence.annotations = files_of_sequence(annotations, name, {".png"});
      if (!options.need_images) return;
      sequence.images = files_of_sequence(images, name, {".jpg", ".jpeg", ".png"});
      check(sequence);
    });
    sequences.push_back(std::move(sequence));
  }
  return sequences;
}

std::string fault_of(bool keep_faulty, const std::function<void()>& open) {
  try {
    open();
  } catch (const Error& error) {
    if (!keep_faulty || error.exit() != Exit::kBadData) throw;
    return error.what();
  }
  return "";
}

}  // namespace stc::data
