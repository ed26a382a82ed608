#include "mlp/flags/program.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>

namespace mlp::flags {
namespace {

int output_error = 0;  // the errno of the first write that failed

void Complain(absl::string_view program, absl::string_view what) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(program.size()), program.data(),
               static_cast<int>(what.size()), what.data());
}

// Of a stream that only says that some write before failed.
int ErrorOfStdout() {
  pollfd descriptor = {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  const bool reader_is_gone = poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLERR) != 0;
  return reader_is_gone ? EPIPE : EIO;
}

}  // namespace

void PrintText(absl::string_view text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written && output_error == 0) output_error = errno;
}

int RunMain(absl::string_view program, absl::FunctionRef<int()> body, int failed) {
  signal(SIGPIPE, SIG_IGN);
  int exit_code = failed;
  try {
    exit_code = body();
  } catch (const std::bad_alloc&) {
    Complain(program,
             "memory: expected enough for this model, batch and data, found less; make them "
             "smaller");
    return failed;
  }
  if (std::fflush(stdout) != 0 && output_error == 0) output_error = errno;
  if (std::ferror(stdout) != 0 && output_error == 0) output_error = ErrorOfStdout();
  if (output_error == 0 || output_error == EPIPE) return exit_code;
  Complain(program, std::string("standard output: cannot write: ") + std::strerror(output_error));
  return failed;
}

}  // namespace mlp::flags
