// Finds a ResNet's trunk among the tensors of a published file, whatever it calls them.
#pragma once

#include <string>
#include <vector>

#include "models/named_tensors.h"

namespace stc::models {

struct PublishedTrunk {
  NamedTensors tensors;  ///< under torchvision's names; of stages 1 to 3, or 1 to 4
  int depth = 18;        ///< 18 or 50
  bool has_layer4 = true;
  std::string scheme;  ///< of the table in models/naming_schemes.h
  std::string prefix;  ///< of the file's names: "module.encoder_q."; may be empty
  std::string input;   ///< colours it was trained on, "rgb" or "lab", if the names tell; else ""
  /// What a user should know, a line each: the scheme, the network that was chosen, what was left
  /// out. Empty if the file holds a trunk under torchvision's names and nothing else.
  std::vector<std::string> remarks;
};

/// Tries the schemes in order. `prefix` chooses one of several networks; without it, the one that
/// is trained is taken where its average or its teacher is stored beside it (encoder_q, encoder_k).
/// Throws stc::Error, naming `source`: kUsage and the prefixes if there are several or not this
/// one; kBadData if there is none, or if it is nearly a ResNet-18 or -50: then the tensors that
/// differ, under the file's names.
PublishedTrunk find_trunk(const NamedTensors& file,
                          const std::string& source,
                          const std::string& prefix = "");

}  // namespace stc::models
