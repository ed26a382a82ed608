// Ctrl-C: the first one asks the work to end where it can go on later, the second ends it at once.
#pragma once

namespace mlp::flags {

inline constexpr int kInterruptedExitCode = 130;

// From here on SIGINT and SIGTERM are requests. A second one ends the process with that code.
void CatchInterrupts();

// Whether there was one.
bool Interrupted();

}  // namespace mlp::flags
