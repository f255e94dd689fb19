// A JHMDB tree: Rename_Images/CLASS/CLIP, joint_positions/CLASS/CLIP/joint_positions.mat, and the
// lists of clips that go with it.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace stc::data {

constexpr int kJointCount = 15;
extern const std::array<const char*, kJointCount> kJointNames;
/// The joint that each is drawn connected to; the first is the root, its own parent.
extern const std::array<int, kJointCount> kJointParents;

struct JhmdbClip {
  std::string name;                 ///< CLASS/CLIP
  std::string joints;               ///< full path of joint_positions.mat
  std::vector<std::string> images;  ///< full paths, natural order; may be empty if not needed
  std::string fault = {};  ///< what is wrong with its files; empty unless faulty ones are kept
};

struct JhmdbOptions {
  /// A list with "<joint_positions.mat> <image folder>" per line, or the columns the other way
  /// round; or one of the data set's own "<class>_test_split1.txt" ("<clip>.avi 1|2", 2 is tested),
  /// or a folder of them. Empty: ROOT/val_list.txt, else ROOT/splits, else all clips with joints.
  std::string split;
  bool need_images = true;  ///< false: for scoring; the images may be absent
  /// Clips with missing files stay in the list, with their `fault`; else the first of them is an
  /// error.
  bool keep_faulty = false;
};

/// `root` is JHMDB or the folder that holds it; a list's paths are taken relative to either, and
/// from their JHMDB/ on if they were written on another machine. Throws stc::Error (kBadData)
/// naming list and line, or the path: no such folder or list, a listed clip that is absent, a clip
/// without images.
std::vector<JhmdbClip> open_jhmdb(const std::string& root, const JhmdbOptions& options);

}  // namespace stc::data
