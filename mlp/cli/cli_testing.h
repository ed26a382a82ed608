// For tests: runs the real `mlp` on small files.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "mlp/cli/console.h"
#include "mlp/io/subprocess.h"

namespace mlp::cli {

// Has a directory of its own with a data set in it: 6 x 6 pictures, 10 classes that differ in one
// bright pixel. MLP_BINARY in the environment says where the program is.
class MlpRunner {
 public:
  MlpRunner();

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  std::string data() const { return Path("data"); }

  io::CommandResult Run(std::vector<std::string> arguments) const;
  // The same with so much address space, in bytes. Not under sanitizers, which reserve more.
  io::CommandResult RunWithin(size_t address_space, std::vector<std::string> arguments) const;
  // mlp train on the small data with a small model, and these flags.
  io::CommandResult Train(std::vector<std::string> flags) const;
  std::vector<std::string> TrainArguments(std::vector<std::string> flags) const;
  // What a run printed on stdout, which must be one JSON document, and its exit code 0.
  Json RunJson(std::vector<std::string> arguments) const;

  std::string Read(const std::string& name) const;
  // Names in the directory, sorted, beside the data.
  std::vector<std::string> Files() const;

 private:
  std::filesystem::path directory_;
};

// A run that goes on until it is told to stop.
class RunningMlp {
 public:
  explicit RunningMlp(const std::vector<std::string>& arguments);
  ~RunningMlp();

  // Returns when something was written to stderr, where the bar is.
  void WaitForProgress();
  void Signal(int number);
  // Waits for the end; reads all that was written.
  io::CommandResult Wait();

 private:
  pid_t pid_ = 0;
  int output_fd_ = -1;
  int errors_fd_ = -1;
  std::string errors_;
};

}  // namespace mlp::cli
