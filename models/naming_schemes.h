// How published files name the tensors of a ResNet's trunk, as one table.
#pragma once

#include <optional>
#include <regex>
#include <string>
#include <vector>

namespace stc::models {

struct NamingRule {
  std::regex pattern;  ///< of a whole name, without the prefix
  std::string ours;    ///< torchvision's name, with $1, $2, ...; empty: not part of the trunk
};

struct NamingScheme {
  std::string name;               ///< "torchvision", "mmcv", ...
  std::string anchor;             ///< its name of layer1.0.conv1.weight
  std::regex trunk;               ///< beginnings of names that belong to the trunk
  std::vector<NamingRule> rules;  ///< the first that matches counts
  std::string input;              ///< colours that all its networks are trained on: "rgb", or ""
  std::string remark;             ///< what to know about its networks; may be empty

  /// Torchvision's name, "" for a tensor that the scheme leaves out, nothing for a foreign one.
  std::optional<std::string> ours(const std::string& name) const;
};

/// In the order in which they are tried.
const std::vector<NamingScheme>& naming_schemes();

}  // namespace stc::models
