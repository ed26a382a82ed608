// Who takes part: our own variants, the peers that this build has, and what the user adds.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mlp::peers {

struct Contender {
  std::string name;               // "mlp/dense", "torch/compile"
  std::vector<std::string> argv;  // the program and its arguments
  bool ours = false;
  std::string missing = "";  // why it cannot run here, and the command that installs it
  bool whole_turns = false;  // A request for an epoch trains all of a turn's.
};

// Where programs are looked for.
struct Places {
  std::string directory;  // of the peers in C++, and of python/
  std::string python;     // the interpreter of the peers in Python
};

// As Bazel lays them out beside the running program; `program` is its argv[0]. Python's is where
// setup_python puts it.
Places FindPlaces(const std::string& program);

// All that are built in, ours first, the baseline the first of those.
std::vector<Contender> BuiltIn(const Places& places);

// "NAME=COMMAND", the command's words separated by spaces. A first word such as "mlp" or "eigen" is
// the built-in program of that name. InvalidArgument: it is not of that form.
absl::StatusOr<Contender> ParseContender(const std::string& text, const Places& places);

// "NAME=COMMAND" for a program that only prints the time of its epochs, see command.h.
absl::StatusOr<Contender> ParseCommand(const std::string& text, size_t epochs,
                                       const Places& places);

// Ours, and those that are named: by their whole name, or all by the part before the slash. No
// names: all. InvalidArgument: nobody has that name.
absl::StatusOr<std::vector<Contender>> Choose(std::vector<Contender> all,
                                              const std::vector<std::string>& names);

}  // namespace mlp::peers
