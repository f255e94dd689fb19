// A DAVIS tree: JPEGImages/[480p/]SEQ, Annotations/[480p/]SEQ, ImageSets/2017/val.txt.
#pragma once

#include <string>
#include <vector>

#include "data/benchmarks/sequence_files.h"

namespace stc::data {

using DavisSequence = AnnotatedSequence;
using DavisOptions = SequenceOptions;

/// Throws stc::Error (kBadData) naming the path: no such folder, no sequence, a listed sequence
/// that is absent, a sequence without frames or without an annotation of its first frame.
std::vector<DavisSequence> open_davis(const std::string& root, const DavisOptions& options);

/// The folder that holds SEQ/*.png: root/Annotations[/480p] of a DAVIS root, else root[/480p]
/// itself. Throws stc::Error (kBadData) if root is not a folder.
std::string annotation_folder(const std::string& root);

}  // namespace stc::data
