// What must be settled before the program's libraries start.
#pragma once

namespace stc::launcher {

/// OpenMP's threads sleep while they wait, and the heap keeps what it was given; both are read from
/// the environment when libraries are loaded, so the program starts itself once more with them.
/// What the user has set of either stays. For work that takes longer than a start, half a second.
void start_with_settings(char** argv);

}  // namespace stc::launcher
