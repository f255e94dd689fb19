// Text files that list the clips of a benchmark.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace stc::data {

/// Lines without the space around them, a byte order mark and comments (#); empty ones are left
/// out, and so is a first line of nothing but words that head columns ("sequence", "image mask"),
/// unless is_clip() knows it. Throws stc::Error (kBadData) naming `path` if it cannot be read, is
/// not plain text, or holds none; `expected` says what a line is.
std::vector<std::string> read_list(
    const std::string& path,
    const std::string& expected,
    const std::function<bool(const std::string& line)>& is_clip = {});

/// Names of sequences, each once: a line is a name, or one or two paths of a sequence's folders or
/// of its frames ("/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png"), whose frames
/// follow each other. Throws stc::Error (kBadData) naming list and line: two paths that belong to
/// different sequences, a sequence that is listed twice.
/// `folder` holds the sequences.
std::vector<std::string> read_sequence_list(const std::string& path, const std::string& folder);

}  // namespace stc::data
