#include "benchmarks/peers/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/timer.h"
#include "mlp/flags/interrupt.h"
#include "mlp/io/atomic_file.h"

extern char** environ;

namespace mlp::peers {
namespace {

constexpr size_t kMostLineBytes = size_t{1} << 20;
constexpr size_t kShownErrorBytes = 600;
constexpr double kQuitSeconds = 2;
constexpr int kPollMs = 50;  // how late Ctrl-C may be seen

struct Pipe {
  io::FileDescriptor read;
  io::FileDescriptor write;
};

absl::StatusOr<Pipe> MakePipe(const std::string& name) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return io::ErrnoError("make a pipe", name, errno);
  return Pipe{io::FileDescriptor(ends[0]), io::FileDescriptor(ends[1])};
}

// The end of a file, in whole lines where there are some.
std::string Tail(int fd) {
  std::array<char, kShownErrorBytes> bytes;
  const off_t size = lseek(fd, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, size - static_cast<off_t>(bytes.size()));
  const ssize_t n = pread(fd, bytes.data(), bytes.size(), from);
  if (n <= 0) return "";
  std::string text(bytes.data(), static_cast<size_t>(n));
  if (const size_t line = text.find('\n'); from > 0 && line + 1 < text.size()) {
    text = "... " + text.substr(line + 1);
  }
  return std::string(absl::StripAsciiWhitespace(text));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const std::vector<std::string>& argv) {
  MLP_CHECK(!argv.empty());
  // Writing to a peer that has died is an error to report, not the end of the driver.
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<Process> process(new Process);
  process->name_ = argv[0];
  MLP_ASSIGN_OR_RETURN(Pipe requests, MakePipe(argv[0]));
  MLP_ASSIGN_OR_RETURN(Pipe answers, MakePipe(argv[0]));
  process->errors_ = io::FileDescriptor(memfd_create("stderr", MFD_CLOEXEC));
  if (!process->errors_.ok()) return io::ErrnoError("create a file in memory", argv[0], errno);

  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, requests.read.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, answers.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, process->errors_.get(), STDERR_FILENO);
  // A group of its own: signals reach what a wrapper script starts, and Ctrl-C is the driver's.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  const int error =
      posix_spawnp(&process->pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    process->pid_ = -1;
    return io::ErrnoError("run it", argv[0], error);
  }
  process->requests_ = std::move(requests.write);
  process->answers_ = std::move(answers.read);
  process->Signal(SIGSTOP);
  return process;
}

Process::~Process() {
  if (pid_ < 0) return;
  Signal(SIGCONT);
  if (Send(R"({"op":"quit"})").ok()) {
    requests_.Close();
    const Timer timer;
    while (timer.Seconds() < kQuitSeconds) {
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
        Signal(SIGKILL);  // What it may have left behind in its group.
        return;
      }
      poll(nullptr, 0, 1);
    }
  }
  Kill();
}

void Process::Signal(int signal) const { kill(-pid_, signal); }

void Process::Kill() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Process::HowItDied() {
  // It has closed its output; give it a moment to be gone as well.
  int status = 0;
  const Timer timer;
  pid_t waited = 0;
  while ((waited = waitpid(pid_, &status, WNOHANG)) == 0 && timer.Seconds() < kQuitSeconds) {
    poll(nullptr, 0, 1);
  }
  std::string how = "closed its standard output";
  if (waited == pid_) {
    Signal(SIGKILL);
    pid_ = -1;
    how = WIFSIGNALED(status) ? absl::StrCat("was ended by signal ", WTERMSIG(status), " (",
                                             strsignal(WTERMSIG(status)), ")")
                              : absl::StrCat("ended with exit code ", WEXITSTATUS(status));
  }
  const std::string tail = Tail(errors_.get());
  return tail.empty() ? how : absl::StrCat(how, "; its last words: ", tail);
}

absl::Status Process::Send(const std::string& line) {
  if (const int error = io::WriteAll(requests_.get(), line + "\n")) {
    return io::ErrnoError("write to it", name_, error);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Process::ReceiveLine(double timeout_s, bool cancellable) {
  const Timer timer;
  while (true) {
    if (const size_t end = received_.find('\n'); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    if (received_.size() > kMostLineBytes) {
      return absl::InvalidArgumentError(absl::StrCat("expected an answer on one line, found ",
                                                     received_.size(),
                                                     " bytes without an end of line"));
    }
    if (cancellable && flags::Interrupted()) return absl::CancelledError("interrupted");
    if (timer.Seconds() > timeout_s) {
      return absl::DeadlineExceededError(
          absl::StrCat("no answer within ", timeout_s, " s; --timeout allows more"));
    }
    pollfd ready = {.fd = answers_.get(), .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, kPollMs) <= 0) continue;
    char buffer[1 << 12];
    const ssize_t n = read(answers_.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return absl::AbortedError(HowItDied());
    received_.append(buffer, static_cast<size_t>(n));
  }
}

absl::StatusOr<Json> Process::Call(const Json& request, double timeout_s, bool cancellable) {
  if (pid_ < 0) return absl::FailedPreconditionError("is gone");
  Signal(SIGCONT);
  // Where it is dead already, the line that does not come says more than the failed write.
  const absl::Status sent = Send(record::Dump(request));
  absl::StatusOr<std::string> line = ReceiveLine(timeout_s, cancellable);
  if (line.ok() && !received_.empty()) {
    line = absl::InvalidArgumentError(
        absl::StrCat("expected one line, found more after it: ", received_.substr(0, 200)));
  }
  absl::StatusOr<Json> answer = line.ok() ? ParseAnswer(*line) : line.status();
  if (!answer.ok()) {
    Kill();
    return answer;
  }
  Signal(SIGSTOP);
  return answer;
}

}  // namespace mlp::peers
