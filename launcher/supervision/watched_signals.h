// Signals that a command reads between two looks at its child, instead of being interrupted.
#pragma once

#include <initializer_list>
#include <optional>

#include "data/file.h"

namespace stc::launcher {

class WatchedSignals {
 public:
  /// Blocks the signals in this thread and those that it starts.
  explicit WatchedSignals(std::initializer_list<int> signals);

  int descriptor() const { return file_.number(); }  ///< to poll
  std::optional<int> next();                         ///< one that has come, if any

 private:
  data::Descriptor file_;
};

}  // namespace stc::launcher
