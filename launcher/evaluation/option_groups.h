// The groups that the help of evaluation commands shows its options in.
#pragma once

namespace CLI {
class App;
}

namespace stc::launcher {

inline constexpr char kInput[] = "Input";
inline constexpr char kOutput[] = "Output";
inline constexpr char kMethod[] = "Method";
inline constexpr char kMachine[] = "Machine";

/// Those of add_propagation_options().
void group_propagation_options(CLI::App* command);

}  // namespace stc::launcher
