// Where the lab's programs put records, and what they say meanwhile: the same flags in all of them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "mlp/flags/flags.h"

namespace mlp::experiments {

struct OutputOptions {
  std::string out = "";  // "": results/ in the workspace
  bool json = false;
  bool quiet = false;
  std::string progress = "auto";
};

void AddOutputFlags(flags::Flags& flags, OutputOptions* options);

// Where records go. NotFound: the environment's directory for temporary files is none.
absl::StatusOr<std::string> OutputDirectory(const OutputOptions& options, bool smoke);

}  // namespace mlp::experiments
