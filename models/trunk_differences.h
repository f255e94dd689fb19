// In what a network that is named like a ResNet-18 or -50 is none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/named_tensors.h"

namespace stc::models {

/// `tensors` are under torchvision's names, `file_names` says what the file calls each;
/// `foreign` are the file's names of tensors within the trunk that no ResNet has. Throws stc::Error
/// (kBadData) naming `source`, the tensors that differ, and what kind of network has such.
void check_trunk(const NamedTensors& tensors,
                 const std::map<std::string, std::string>& file_names,
                 const std::vector<std::string>& foreign,
                 int depth,
                 const std::string& source);

/// What a file without any ResNet seems to hold instead: "; its names are those of a vision
/// transformer"; or "".
std::string other_network(const NamedTensors& file);

}  // namespace stc::models
