// Ctrl-C: the first one asks the work to end where it can go on later, the second ends it at once.
#pragma once

#include <sys/types.h>

namespace mlp::flags {

inline constexpr int kInterruptedExitCode = 130;

// From here on SIGINT and SIGTERM are requests. A second one ends the process with that code.
void CatchInterrupts();

// Whether there was one.
bool Interrupted();

// Sends that process a SIGTERM for each of them from here on, and one at once where there was one
// already. 0: nobody any more.
void PassInterruptsTo(pid_t process);

}  // namespace mlp::flags
