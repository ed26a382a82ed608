// Runs another program, without a shell, and collects what it says.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::io {

struct CommandResult {
  int exit_code = 0;  // 128 + the signal's number if a signal ended it.
  std::string output;
  std::string errors;
};

// Runs argv[0], looked up in PATH, with `input` on its standard input, and waits for it.
// NotFound: there is no such program.
absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& argv,
                                         absl::string_view input = "");

}  // namespace mlp::io
