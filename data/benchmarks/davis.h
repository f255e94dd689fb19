// A DAVIS tree: JPEGImages/[480p/]SEQ, Annotations/[480p/]SEQ,
// ImageSets/2017/val.txt.
#pragma once

#include <string>
#include <vector>

namespace stc::data {

struct DavisSequence {
  std::string name;
  std::vector<std::string>
      images;  ///< full paths, natural order; empty where only annotations were asked for
  std::vector<std::string> annotations;  ///< full paths of *.png, natural order
  std::string fault = {};  ///< what is wrong with its files, where faulty ones are kept
};

struct DavisOptions {
  std::string split;  ///< file with one sequence name a line; empty: ImageSets/2017/val.txt, else
                      ///< all with annotations
  bool need_images = true;  ///< false: a tree, or a bare folder of SEQ/*.png, for scoring
  std::vector<std::string> names = {};  ///< these sequences alone, whatever the split says
  /// Clips with missing files stay in the list, their `fault` saying what is wrong; else the first
  /// of them is an error.
  bool keep_faulty = false;
};

/// Throws stc::Error (kBadData) naming the path: no such folder, no sequence, a listed sequence
/// that is absent, a sequence without frames or without an annotation of its first frame.
std::vector<DavisSequence> open_davis(const std::string& root, const DavisOptions& options);

/// The folder that holds SEQ/*.png: root/Annotations[/480p] of a DAVIS root, else root[/480p]
/// itself. Throws stc::Error (kBadData) where root is no folder.
std::string annotation_folder(const std::string& root);

}  // namespace stc::data
