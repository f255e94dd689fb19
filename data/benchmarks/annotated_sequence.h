// Sequences of frames with annotation images: what DAVIS and VIP consist of.
#pragma once

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

}  // namespace stc::data
