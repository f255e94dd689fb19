// What the readers of benchmark trees share: lists of sequences, and the files of each. Private to
// data.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace stc::data {

/// Lines without the space around them; empty ones are left out. Throws stc::Error (kBadData)
/// naming `path` where it cannot be read or holds none; `expected` says what a line is.
std::vector<std::string> read_list(const std::string& path, const std::string& expected);

/// One sequence name a line, each once.
std::vector<std::string> read_split(const std::string& path);

/// Names of the folders within `folder` that hold a PNG, in natural order. Throws stc::Error
/// (kBadData) where there is none; `expected` says what was looked for.
std::vector<std::string> annotated_sequences(const std::string& folder,
                                             const std::string& expected);

/// Files of folder/name with one of the endings, in natural order; at least one.
std::vector<std::string> files_of_sequence(const std::string& folder,
                                           const std::string& name,
                                           const std::vector<std::string>& endings);

/// Calls `open`. Where `keep_faulty`, an error in the data (stc::Error, kBadData) is returned as
/// text; "" where there is none.
std::string fault_of(bool keep_faulty, const std::function<void()>& open);

}  // namespace stc::data
