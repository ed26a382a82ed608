// Ctrl-C, a SIGTERM, or the end of the terminal (SIGHUP): the first one asks the work to end where
// it can go on later, the second ends it at once.
#pragma once

#include <sys/types.h>

namespace mlp::flags {

inline constexpr int kInterruptedExitCode = 130;

// From here on these signals are requests. A second one ends the process with that code. Where
// SIGHUP is ignored, as nohup has it, it stays so.
void CatchInterrupts();

// Whether there was one.
bool Interrupted();

// Sends that process a SIGTERM for each of them from here on, and one at once where there was one
// already. 0: nobody any more.
void PassInterruptsTo(pid_t process);

}  // namespace mlp::flags
