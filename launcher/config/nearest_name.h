// "Did you mean ...?" for commands, options and config keys.
#pragma once

#include <string>
#include <vector>

namespace stc::launcher {

/// The known name that takes the fewest edits (insert, delete, replace, swap of neighbours) to
/// reach; "" if none is known or half of the letters would change. A dotted name whose last part
/// fits in another section counts as one edit: "train.learning_rate" finds
/// "optimizer.learning_rate".
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

}  // namespace stc::launcher
