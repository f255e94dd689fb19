// What a folder holds, in natural order.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace stc::data {

/// Numbers by value ("2" < "10"), and "/" before all else, so that a folder's files stay together.
bool natural_less(const std::string& a, const std::string& b);

/// Whether `path` has one of the endings, which are in lower case and with their dot.
bool has_ending(const std::string& path, const std::vector<std::string>& endings);

/// ASCII letters in lower case.
std::string lower_case(std::string name);

/// Whether the last part of a path begins with a dot.
bool is_hidden(const std::string& path);

struct FolderEntry {
  enum class Kind {
    kFile,
    kFolder,
    kSpecial,  ///< a pipe, a socket, a device
    kBroken,   ///< leads nowhere, or may not be looked at
  };
  std::string path;
  Kind kind = Kind::kFile;
  std::string fault = {};  ///< of a broken one, with its path
};

/// All of a folder (not recursive), in natural order; links are what they lead to. Throws
/// stc::Error (kBadData) if the folder cannot be listed.
std::vector<FolderEntry> list_folder(const std::string& folder);

/// The same for a single path. Throws stc::Error (kBadData) if there is nothing of that name.
FolderEntry entry_at(const std::string& path);

/// Files of a folder (not recursive) for which `keep` is true, in natural order. Throws stc::Error
/// (kBadData) if the folder cannot be listed, or if one of them is a broken link.
std::vector<std::string> list_files(const std::string& folder,
                                    const std::function<bool(const std::string& path)>& keep);
/// Those with one of the endings.
std::vector<std::string> list_files(const std::string& folder,
                                    const std::vector<std::string>& endings);

}  // namespace stc::data
