// Any other program that differentiates a sample of the job, times itself and prints the time.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "benchmarks/autodiff/engines.h"

namespace mlp::autodiff {

// The time of a sample in what a program printed: the median of all numbers before "us", in
// seconds. InvalidArgument: there is none above 0.
absl::StatusOr<double> SampleSeconds(absl::string_view output);

// From NAME=COMMAND, whose words are separated by spaces; it is started anew for each time that is
// asked for. InvalidArgument: the text is not of this form.
absl::StatusOr<Engine> CommandEngine(const std::string& text);

}  // namespace mlp::autodiff
