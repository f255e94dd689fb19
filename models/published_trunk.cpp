#include "models/published_trunk.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <regex>
#include <utility>

#include "models/naming_schemes.h"
#include "models/resnet.h"
#include "models/trunk_differences.h"
#include "monitoring/check.h"

namespace stc::models {
namespace {

/// A network of the file, as one scheme reads it.
struct Candidate {
  std::string prefix;
  const NamingScheme* scheme = nullptr;
  std::map<std::string, std::string> file_names = {};  ///< by torchvision's name
  std::vector<std::string> foreign = {};  ///< within the trunk, but no part of a ResNet
};

// Wrappers put their word anywhere among the names; it says nothing.
std::string without_wrappers(const std::string& name) {
  static const std::regex words(
      "(^|\\.)(?:(?:_orig_mod|_checkpoint_wrapped_module|_fsdp_wrapped_module)\\.)+");
  return std::regex_replace(name, words, "$1");
}

NamedTensors without_wrappers(const NamedTensors& file) {
  NamedTensors bare;
  for (const auto& [name, tensor] : file) bare.emplace(without_wrappers(name), tensor);
  return bare.size() == file.size() ? bare : file;
}

Candidate read_as(const NamingScheme& scheme, const std::string& prefix, const NamedTensors& file) {
  Candidate candidate{prefix, &scheme};
  for (const auto& [name, tensor] : file) {
    if (!name.starts_with(prefix)) continue;
    const auto own = name.substr(prefix.size());
    const auto ours = scheme.ours(own);
    if (ours && !ours->empty()) {
      candidate.file_names.emplace(*ours, name);
    } else if (!ours && std::regex_match(own, scheme.trunk)) {
      candidate.foreign.push_back(name);
    }
  }
  return candidate;
}

// Of schemes that find the same anchor, the one that knows more of the names.
void add(Candidate candidate, std::vector<Candidate>* candidates) {
  for (auto& other : *candidates) {
    if (other.prefix != candidate.prefix) continue;
    if (candidate.file_names.size() > other.file_names.size()) other = std::move(candidate);
    return;
  }
  candidates->push_back(std::move(candidate));
}

bool is_whole(const Candidate& candidate) {
  const auto has = [&](const char* name) { return candidate.file_names.contains(name); };
  return has("conv1.weight") && has("layer1.0.conv1.weight") && has("layer2.0.conv1.weight") &&
         has("layer3.0.conv1.weight");
}

// If any network has all stages, pieces of others do not count.
std::vector<Candidate> candidates_of(const NamedTensors& file) {
  std::vector<Candidate> candidates;
  for (const auto& scheme : naming_schemes()) {
    for (const auto& [name, tensor] : file) {
      if (!name.ends_with(scheme.anchor)) continue;
      const auto prefix = name.substr(0, name.size() - scheme.anchor.size());
      if (prefix.empty() || prefix.ends_with('.')) add(read_as(scheme, prefix, file), &candidates);
    }
  }
  if (std::ranges::any_of(candidates, is_whole)) std::erase_if(candidates, std::not_fn(is_whole));
  std::ranges::sort(candidates, {}, &Candidate::prefix);
  return candidates;
}

// As --prefix has it: "." is that of a network whose names have none.
std::string shown(const std::string& prefix) { return prefix.empty() ? "." : prefix; }

std::string listed(const std::vector<Candidate>& candidates) {
  return joined(candidates, [](const Candidate& each) { return text("'{}'", shown(each.prefix)); });
}

// The network that is trained, and what is stored beside it: an average of it, or its teacher.
constexpr std::array<std::pair<const char*, const char*>, 8> kTrainedAndOther = {
    {{"encoder_q.", "encoder_k."},
     {"base_encoder.", "momentum_encoder."},
     {"backbone.", "backbone_t."},
     {"backbone.", "momentum_backbone."},
     {"encoder.", "momentum_encoder."},
     {"online_network.", "target_network."},
     {"online_encoder.", "target_encoder."},
     {"online_backbone.", "target_backbone."}}};

// "module.encoder_k." beside "module.encoder_q.".
bool is_beside_its_trained(const Candidate& candidate, const std::vector<Candidate>& all) {
  return std::ranges::any_of(kTrainedAndOther, [&](const auto& pair) {
    const std::string trained = pair.first, other = pair.second;
    const auto at = candidate.prefix.rfind(other);
    if (at == std::string::npos || (at > 0 && candidate.prefix[at - 1] != '.')) return false;
    auto sibling = candidate.prefix;
    sibling.replace(at, other.size(), trained);
    return std::ranges::count(all, sibling, &Candidate::prefix) == 1;
  });
}

Candidate choose(const std::vector<Candidate>& all,
                 const std::string& source,
                 const std::string& prefix) {
  if (!prefix.empty()) {
    const auto bare = without_wrappers(prefix);
    const auto found = std::ranges::find_if(all, [&](const Candidate& each) {
      return shown(each.prefix) == bare || each.prefix == bare + ".";
    });
    STC_CHECK_USAGE(
        found != all.end(), "--prefix is '{}'; {} holds {}", prefix, source, listed(all));
    return *found;
  }
  auto trained = all;
  std::erase_if(trained, [&](const Candidate& each) { return is_beside_its_trained(each, all); });
  STC_CHECK_USAGE(trained.size() == 1,
                  "{} holds several networks; choose one with --prefix: {} (stc import IN OUT "
                  "--prefix P)",
                  source,
                  listed(all));
  return trained.front();
}

// "module.queue", "optimizer": where a name that is not part of the trunk leaves the trunk's path.
std::string part_of(const std::string& name,
                    const Candidate& chosen,
                    const std::vector<Candidate>& all) {
  for (const auto& other : all) {
    if (other.prefix.size() > chosen.prefix.size() && name.starts_with(other.prefix))
      return other.prefix.substr(0, other.prefix.size() - 1);
    const bool is_inside = chosen.prefix.starts_with(other.prefix);
    if (!is_inside && name.starts_with(other.prefix))
      return other.prefix.substr(0, other.prefix.size() - 1);
  }
  std::size_t common = 0;  // up to and with the last dot that both have
  for (std::size_t i = 0; i < std::min(name.size(), chosen.prefix.size()); ++i) {
    if (name[i] != chosen.prefix[i]) break;
    if (name[i] == '.') common = i + 1;
  }
  return name.substr(0, name.find('.', common));
}

std::string left_out(const NamedTensors& file,
                     const Candidate& chosen,
                     const std::vector<Candidate>& all) {
  constexpr std::size_t kShown = 8;
  std::map<std::string, int> counts;
  std::map<std::string, bool> taken;
  for (const auto& [ours, name] : chosen.file_names) taken[name] = true;
  for (const auto& [name, tensor] : file)
    if (!taken.contains(name)) ++counts[part_of(name, chosen, all)];
  if (counts.empty()) return "";
  std::vector<std::string> parts;
  for (const auto& [part, count] : counts)
    if (parts.size() < kShown) parts.push_back(text("{} of '{}'", count, part));
  const auto others = counts.size() - parts.size();
  return text("left out, in tensors: {}{}",
              joined(parts),
              others > 0 ? text(", and {} more parts", others) : "");
}

// The authors' student of step 2 sees Lab, its teacher RGB, and so does VFS (img_head); a
// classifier of 1000 classes is ImageNet's.
std::string input_of(const NamedTensors& file,
                     const Candidate& chosen,
                     const std::vector<Candidate>& all) {
  if (!chosen.scheme->input.empty()) return chosen.scheme->input;
  const auto has = [&](const std::string& part) {
    return std::ranges::any_of(
        file, [&](const auto& each) { return each.first.find(part) != std::string::npos; });
  };
  if (chosen.scheme->name == "mmcv") {
    const auto ends = [](const std::string& end) {
      return [end](const Candidate& each) { return each.prefix.ends_with(end); };
    };
    if (ends("backbone_t.")(chosen) || has("img_head.")) return "rgb";
    return std::ranges::any_of(all, ends("backbone_t.")) ? "lab" : "";
  }
  for (const char* word : {"encoder_q.", "base_encoder.", "prototypes.", "_feature_blocks."})
    if (has(word)) return "rgb";
  for (const char* head : {"fc", "last_linear", "linear", "head", "classifier", "head.fc"}) {
    const auto found = file.find(text("{}{}.weight", chosen.prefix, head));
    if (found != file.end() && found->second.dim() >= 2 && found->second.size(0) == 1000)
      return "rgb";
  }
  return "";
}

// 3D networks keep their 2D convolutions as kernels over one frame.
NamedTensors tensors_of(const Candidate& chosen, const NamedTensors& file) {
  NamedTensors tensors;
  for (const auto& [ours, name] : chosen.file_names) {
    const auto& tensor = file.at(name);
    const bool is_flat = tensor.dim() == 5 && tensor.size(2) == 1;
    tensors.emplace(ours, is_flat ? tensor.squeeze(2) : tensor);
  }
  return tensors;
}

std::vector<std::string> remarks_of(const PublishedTrunk& trunk,
                                    const Candidate& chosen,
                                    const std::vector<Candidate>& all,
                                    const std::string& not_taken,
                                    const std::string& source) {
  const bool is_plain = trunk.prefix.empty() && trunk.scheme == "torchvision";
  std::vector<std::string> remarks;
  if (!is_plain || !not_taken.empty()) {
    remarks.push_back(text("{}: a ResNet-{} under the names of {}{}{}",
                           source,
                           trunk.depth,
                           trunk.scheme,
                           trunk.prefix.empty() ? "" : text(", under '{}'", trunk.prefix),
                           not_taken.empty() ? "" : "; " + not_taken));
  }
  if (all.size() > 1)
    remarks.push_back(
        text("of the networks {} the one under '{}' was taken; `stc import IN OUT "
             "--prefix P` takes another",
             listed(all),
             shown(trunk.prefix)));
  if (!chosen.scheme->remark.empty()) remarks.push_back(chosen.scheme->remark);
  if (!trunk.has_layer4)
    remarks.push_back(
        text("{}: has no layer4; evaluation needs stages 1 to 3 only, training all four", source));
  return remarks;
}

}  // namespace

PublishedTrunk find_trunk(const NamedTensors& file,
                          const std::string& source,
                          const std::string& prefix) {
  const auto bare = without_wrappers(file);
  const auto all = candidates_of(bare);
  STC_CHECK_DATA(!all.empty(),
                 "{}: none of its {} tensors is the layer1.0.conv1.weight of a ResNet, under any "
                 "known names ({}){}",
                 source,
                 file.size(),
                 joined(naming_schemes(), [](const NamingScheme& each) { return each.name; }),
                 other_network(file));
  const auto chosen = choose(all, source, prefix);
  PublishedTrunk trunk;
  trunk.tensors = tensors_of(chosen, bare);
  trunk.scheme = chosen.scheme->name;
  trunk.prefix = chosen.prefix;
  trunk.input = input_of(bare, chosen, all);
  trunk.has_layer4 = std::ranges::any_of(
      chosen.file_names, [](const auto& each) { return each.first.starts_with("layer4."); });
  trunk.depth = depth_of(trunk.tensors, source);
  check_trunk(trunk.tensors, chosen.file_names, chosen.foreign, trunk.depth, source);
  trunk.remarks = remarks_of(trunk, chosen, all, left_out(bare, chosen, all), source);
  return trunk;
}

}  // namespace stc::models
