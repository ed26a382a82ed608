// A peer as a child process: requests go to it, answers come back within a time limit, and between
// them it does not run.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/peers/protocol.h"
#include "mlp/io/file_descriptor.h"

namespace mlp::peers {

class Process {
 public:
  // argv[0] is looked up in PATH. The child is stopped until the first Call. NotFound: there is no
  // such program.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const std::vector<std::string>& argv);
  // Asks it to quit, and ends it if it does not.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Lets the child run until it has answered. After an error the child is gone. The message says
  // what happened: its own error; what it said instead of an answer; how it died, and the end of
  // what it wrote on standard error; DeadlineExceeded; Cancelled where it is cancellable and Ctrl-C
  // came between.
  absl::StatusOr<Json> Call(const Json& request, double timeout_s, bool cancellable = true);

  pid_t pid() const { return pid_; }

 private:
  Process() = default;

  absl::Status Send(const std::string& line);
  absl::StatusOr<std::string> ReceiveLine(double timeout_s, bool cancellable);
  // Of the child and of what it started.
  void Signal(int signal) const;
  void Kill();
  // "died with exit code 1", and the end of its standard error.
  std::string HowItDied();

  std::string name_;
  pid_t pid_ = -1;  // also its process group; -1 once it is gone
  io::FileDescriptor requests_;
  io::FileDescriptor answers_;
  io::FileDescriptor errors_;  // a file in memory
  std::string received_;       // of the next line
};

}  // namespace mlp::peers
