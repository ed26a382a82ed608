// Any other program that does what an experiment times, times itself and prints the time.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::experiments {

struct TimedCommand {
  std::string name;
  std::vector<std::string> argv;

  // Runs it and returns what PrintedSeconds finds.
  absl::StatusOr<double> Seconds() const;
};

// The time in what a program printed: the median of all numbers before "us", in seconds.
// InvalidArgument: there is none above 0.
absl::StatusOr<double> PrintedSeconds(absl::string_view output);

// From NAME=COMMAND each, whose words are separated by spaces. InvalidArgument: one is not of this
// form.
absl::StatusOr<std::vector<TimedCommand>> ParseTimedCommands(const std::vector<std::string>& texts);

// InvalidArgument where two commands, or one and something else, have the same name.
absl::Status CheckNames(const std::vector<TimedCommand>& commands,
                        const std::vector<std::string>& taken);

}  // namespace mlp::experiments
