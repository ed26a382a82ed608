#include "mlp/io/subprocess.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/atomic_file.h"
#include "mlp/io/file_descriptor.h"

extern char** environ;

namespace mlp::io {
namespace {

// Files in memory stand for the three streams: unlike pipes they never fill up and block.
absl::StatusOr<FileDescriptor> MemoryFile(const char* name) {
  FileDescriptor fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd.ok()) return ErrnoError("create a file in memory", name, errno);
  return fd;
}

std::string Contents(int fd) {
  std::string contents;
  char buffer[1 << 16];
  off_t offset = 0;
  while (true) {
    const ssize_t n = pread(fd, buffer, sizeof buffer, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return contents;
    contents.append(buffer, static_cast<size_t>(n));
    offset += n;
  }
}

}  // namespace

absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& argv,
                                         absl::string_view input) {
  MLP_CHECK(!argv.empty());
  MLP_ASSIGN_OR_RETURN(const FileDescriptor in, MemoryFile("stdin"));
  MLP_ASSIGN_OR_RETURN(const FileDescriptor out, MemoryFile("stdout"));
  MLP_ASSIGN_OR_RETURN(const FileDescriptor err, MemoryFile("stderr"));
  if (const int error = WriteAll(in.get(), input)) {
    return ErrnoError("write the input", argv[0], error);
  }
  lseek(in.get(), 0, SEEK_SET);

  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.get(), STDERR_FILENO);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, argv[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoError("run it", argv[0], error);

  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return ErrnoError("wait for it", argv[0], errno);
  }
  return CommandResult{
      .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
      .output = Contents(out.get()),
      .errors = Contents(err.get()),
  };
}

}  // namespace mlp::io
