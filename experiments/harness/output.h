// Where the lab's programs put records, and what they say meanwhile: the same flags in all of them.
#pragma once

#include <string>

#include "mlp/flags/flags.h"

namespace mlp::experiments {

struct OutputOptions {
  std::string out = "";  // "": results/ in the workspace
  bool json = false;
  bool quiet = false;
  std::string progress = "auto";
};

void AddOutputFlags(flags::Flags& flags, OutputOptions* options);

// Where records go.
std::string OutputDirectory(const OutputOptions& options, bool smoke);

}  // namespace mlp::experiments
