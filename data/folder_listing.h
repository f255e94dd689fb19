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

/// Files of a folder (not recursive) for which `keep` is true, in natural order. Throws stc::Error
/// (kBadData) if the folder cannot be listed.
std::vector<std::string> list_files(const std::string& folder,
                                    const std::function<bool(const std::string& path)>& keep);
/// Those with one of the endings.
std::vector<std::string> list_files(const std::string& folder,
                                    const std::vector<std::string>& endings);

/// `root` and every folder below it, once: links to folders are followed, loops of them are not.
std::vector<std::string> folders_below(const std::string& root);

}  // namespace stc::data
