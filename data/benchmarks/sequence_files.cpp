#include "data/benchmarks/sequence_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "data/images/frame_source.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

std::string trimmed(const std::string& line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

std::vector<std::string> read_list(const std::string& path, const std::string& expected) {
  std::ifstream file(path);
  STC_CHECK_DATA(fs::is_regular_file(path) && file,
                 "{}: the split file cannot be read; expected a text file with {} a line",
                 path,
                 expected);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    line = trimmed(line);
    if (!line.empty()) lines.push_back(line);
  }
  STC_CHECK_DATA(!lines.empty(), "{}: lists no sequence; expected {} a line", path, expected);
  return lines;
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

std::vector<std::string> annotated_sequences(const std::string& folder,
                                             const std::string& expected) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && !list_files(entry.path().string(), {".png"}).empty()) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end(), natural_less);
  STC_CHECK_DATA(!names.empty(), "{}: holds no sequence; expected {}", folder, expected);
  return names;
}

std::vector<std::string> files_of_sequence(const std::string& folder,
                                           const std::string& name,
                                           const std::vector<std::string>& endings) {
  const auto sequence = (fs::path(folder) / name).string();
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
