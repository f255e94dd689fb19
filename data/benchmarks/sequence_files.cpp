#include "data/benchmarks/sequence_files.h"

#include <strings.h>

#include <algorithm>
#include <map>

#include "data/benchmarks/clip_lists.h"
#include "data/folder_listing.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> annotated_sequences(const fs::path& folder, const std::string& expected) {
  std::vector<std::string> names, others;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory() || is_hidden(entry.path())) continue;
    auto& group = frame_files(entry.path(), {".png"}).empty() ? others : names;
    group.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end(), natural_less);
  std::sort(others.begin(), others.end(), natural_less);
  STC_CHECK_DATA(!names.empty(), "{}: holds no sequence; expected {}", folder.string(), expected);
  if (!others.empty())
    log::info("{}: {} folder(s) without a PNG are left out; the first is '{}'",
              folder.string(),
              others.size(),
              others.front());
  return names;
}

// A name that differs in upper and lower case alone.
std::string similar_name(const fs::path& folder, const std::string& name) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto found = entry.path().filename().string();
    if (::strcasecmp(found.c_str(), name.c_str()) == 0) return text(" ('{}' is there)", found);
  }
  return "";
}

std::vector<std::string> files_of_sequence(const fs::path& folder,
                                           const std::string& name,
                                           const std::vector<std::string>& endings) {
  const auto sequence = (folder / name).string();
  STC_CHECK_DATA(fs::is_directory(sequence),
                 "{}: no such folder{}; sequence '{}' was asked for. Give the right split, or "
                 "complete the data",
                 sequence,
                 similar_name(folder, name),
                 name);
  auto files = frame_files(sequence, endings);
  STC_CHECK_DATA(
      !files.empty(), "{}: holds no frame; expected files ending in {}", sequence, endings.front());
  return files;
}

}  // namespace

std::vector<std::string> frame_files(const std::string& folder,
                                     const std::vector<std::string>& endings) {
  auto files = list_files(folder, endings);
  std::erase_if(files, is_hidden);
  std::map<std::string, std::string> by_frame;
  for (const auto& file : files) {
    const auto [other, is_new] = by_frame.emplace(fs::path(file).stem(), file);
    STC_CHECK_DATA(is_new,
                   "{} and {} are the same frame; expected one file for each",
                   other->second,
                   fs::path(file).filename().string());
  }
  return files;
}

std::vector<std::string> sequence_names(const SequenceOptions& options,
                                        const std::vector<fs::path>& lists,
                                        const fs::path& annotations,
                                        const std::string& expected) {
  if (!options.names.empty()) return options.names;
  if (!options.split.empty()) return read_sequence_list(options.split, annotations.string());
  for (const auto& list : lists) {
    if (!fs::exists(list)) continue;
    auto names = read_sequence_list(list.string(), annotations.string());
    if (list != lists.front()) log::info("{}: lists the {} sequences", list.string(), names.size());
    return names;
  }
  auto names = annotated_sequences(annotations, expected);
  log::info(
      "no list of sequences ({} is absent, and no --split is given): all {} with masks in {} "
      "are taken",
      lists.front().string(),
      names.size(),
      annotations.string());
  return names;
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
