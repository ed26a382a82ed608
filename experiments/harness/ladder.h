// Every way to run a kernel, those that this CPU lacks too: they stay visible in a record.
#pragma once

#include <string>
#include <vector>

#include "mlp/kernels/target.h"

namespace mlp::experiments {

// scalar, then each backend with each instruction set, plainest first.
std::vector<kernels::Target> AllTargets();

// Why this CPU cannot run it; "" if it can.
std::string WhyUnsupported(const kernels::Target& target);

}  // namespace mlp::experiments
