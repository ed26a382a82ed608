#include "mlp/flags/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

namespace mlp::flags {
namespace {

constexpr int kRequests[] = {SIGINT, SIGTERM, SIGHUP};

volatile sig_atomic_t interrupted = 0;
volatile sig_atomic_t follower = 0;  // the process that they are passed on to; 0: none

void OnSignal(int) {
  if (follower != 0) kill(follower, SIGTERM);
  if (interrupted) _exit(kInterruptedExitCode);
  interrupted = 1;
  static constexpr char kMessage[] =
      "\ninterrupted: ending what is under way so that it can go on later; again to stop at once\n";
  // What a handler may call; nothing can be done if it fails.
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
  errno = error;
}

}  // namespace

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int request : kRequests) {
    struct sigaction before;
    sigaction(request, nullptr, &before);
    if (request == SIGHUP && before.sa_handler == SIG_IGN) continue;
    sigaction(request, &action, nullptr);
  }
}

bool Interrupted() { return interrupted != 0; }

void PassInterruptsTo(pid_t process) {
  // Each is passed on once: by the handler, or here if it came before.
  sigset_t requests, before;
  sigemptyset(&requests);
  for (const int request : kRequests) sigaddset(&requests, request);
  sigprocmask(SIG_BLOCK, &requests, &before);
  follower = process;
  if (process != 0 && interrupted) kill(process, SIGTERM);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace mlp::flags
