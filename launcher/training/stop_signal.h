// SIGINT, SIGTERM and SIGUSR1 ask for a graceful stop; the loop looks at a flag between steps.
#pragma once

namespace stc::launcher {

void watch_stop_signals();  ///< a second SIGINT ends the process at once
int stop_signal();          ///< 0, or the signal that came

}  // namespace stc::launcher
