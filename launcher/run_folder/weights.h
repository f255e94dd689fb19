// Weights from wherever a user has them: a run, a checkpoint, or a published file.
#pragma once

#include <map>
#include <string>

#include "data/weights/safetensors.h"

namespace stc::launcher {

struct Weights {
  data::NamedTensors tensors;  ///< a ResNet-18's or -50's trunk under torchvision's names
  int depth = 18;
  std::string input;  ///< colours it was trained on: "rgb" or "lab"; "" if nothing says it
};

/// Reads a checkpoint folder, a run folder (weights.safetensors, else its newest checkpoint), or a
/// file by torch.save or of safetensors, told apart by content, under any of the names that
/// models/naming_schemes.h knows. `prefix` chooses one of several networks. Logs what was chosen
/// and what was left out. Throws stc::Error naming the path: kUsage if a network has to be chosen,
/// kBadData for everything else.
Weights read_weights(const std::string& path, const std::string& prefix = "");

/// The metadata under which weights are written; read_weights() finds the colours there.
std::map<std::string, std::string> weights_metadata(const std::string& input);

}  // namespace stc::launcher
