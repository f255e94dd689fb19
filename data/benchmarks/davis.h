// A DAVIS tree: JPEGImages/[LEVEL/]SEQ, Annotations/[LEVEL/]SEQ with the level 480p, 1080p or
// Full-Resolution, and ImageSets/2017/val.txt, or the lists of DAVIS-2016 or of the test sets.
#pragma once

#include <string>
#include <vector>

#include "data/benchmarks/sequence_files.h"

namespace stc::data {

using DavisSequence = AnnotatedSequence;
using DavisOptions = SequenceOptions;

/// Throws stc::Error (kBadData) naming the path: no such folder, no sequence, a listed sequence
/// that is absent, a sequence without frames or without an annotation of its first frame, an
/// annotation without its image.
std::vector<DavisSequence> open_davis(const std::string& root, const DavisOptions& options);

/// The folder that holds SEQ/*.png: root/Annotations[/LEVEL] of a DAVIS root, else root[/LEVEL]
/// itself. Throws stc::Error (kBadData) if root is not a folder.
std::string annotation_folder(const std::string& root);

}  // namespace stc::data
