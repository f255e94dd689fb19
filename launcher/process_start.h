// Settings that must be made before the program's libraries start.
#pragma once

namespace stc::launcher {

/// OpenMP's threads sleep while they wait, and the heap keeps freed memory; both are read from the
/// environment when libraries are loaded, so the program executes itself again with them. Settings
/// of the user stay. For work that takes longer than a start, half a second.
void start_with_settings(char** argv);

}  // namespace stc::launcher
