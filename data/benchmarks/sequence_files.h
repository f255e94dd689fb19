// What the readers of benchmark trees share: lists of sequences, and the files of each. Private to
// data.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/benchmarks/annotated_sequence.h"

namespace stc::data {

/// Lines without the space around them; empty ones are left out. Throws stc::Error (kBadData)
/// naming `path` if it cannot be read or holds none; `expected` says what a line is.
std::vector<std::string> read_list(const std::string& path, const std::string& expected);

/// Which sequences to open: those named by `options`, else of its split, else of the first of
/// `lists` that exists, else all folders within `annotations` that hold a PNG. Throws stc::Error
/// (kBadData) if there is none; `expected` says what was looked for.
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
