// Sequences of frames with annotation images, which DAVIS and VIP consist of, and what the readers
// of such trees share.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace stc::data {

struct AnnotatedSequence {
  std::string name;
  /// Full paths, natural order; empty if only annotations were asked for.
  std::vector<std::string> images;
  std::vector<std::string> annotations;  ///< full paths of *.png, natural order
  std::string fault = {};  ///< what is wrong with its files; empty unless faulty ones are kept
};

struct SequenceOptions {
  /// File with one sequence name per line; empty: the benchmark's own list of its validation set,
  /// else all with annotations.
  std::string split;
  bool need_images = true;  ///< false: a tree, or a bare folder of SEQ/*.png, for scoring
  std::vector<std::string> names = {};  ///< these sequences alone, whatever the split says
  /// Sequences with missing files stay in the list, with their `fault`; else the first of them is
  /// an error.
  bool keep_faulty = false;
};

/// Files of a folder with one of the endings, in natural order, without hidden ones (macOS adds
/// "._00000.png" to 00000.png). Throws stc::Error (kBadData) naming a link that leads nowhere, and
/// two files of one frame ("00000.jpg", "00000.png").
std::vector<std::string> frame_files(const std::string& folder,
                                     const std::vector<std::string>& endings);

/// Which sequences to open: those named by `options`, else of its split, else of the first of
/// `lists` that exists, else all folders within `annotations` that hold a PNG; a log line says so
/// where it is not the first of `lists`. Throws stc::Error (kBadData) if there is none; `expected`
/// says what was looked for.
std::vector<std::string> sequence_names(const SequenceOptions& options,
                                        const std::vector<std::filesystem::path>& lists,
                                        const std::filesystem::path& annotations,
                                        const std::string& expected);

/// The files of each, of which there is at least one; `check` throws for what is wrong between
/// images and annotations.
std::vector<AnnotatedSequence> open_sequences(const std::vector<std::string>& names,
                                              const std::filesystem::path& annotations,
                                              const std::filesystem::path& images,
                                              const SequenceOptions& options,
                                              void (*check)(const AnnotatedSequence&));

/// Calls `open`. If `keep_faulty`, an error in the data (stc::Error, kBadData) is returned as text;
/// "" if there is none.
std::string fault_of(bool keep_faulty, const std::function<void()>& open);

}  // namespace stc::data
