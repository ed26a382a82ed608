// Ctrl-C: the first one lets the current run finish, the second ends the process.
#pragma once

namespace mlp::experiments {

inline constexpr int kInterruptedExitCode = 130;

// From here on SIGINT and SIGTERM are requests.
void CatchInterrupts();

// Whether there was one.
bool Interrupted();

}  // namespace mlp::experiments
