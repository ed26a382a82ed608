// From a target to the implementation of each family.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mlp/kernels/context.h"

namespace mlp::kernels {

// The kernels of a target. A family that its backend does not have falls through to the plain loops
// of the same instruction set.
const KernelSet& KernelsFor(const Target& target);

// What runs: {family, implementation}, e.g. {"gemm", "simd/avx2"}. For records.
std::vector<std::pair<std::string, std::string>> Resolved(const KernelSet& kernels);

// A context for one worker alone.
inline Context SoloContext(const Target& target = {}, MathMode math = MathMode::kFast) {
  return {&KernelsFor(target), math, Worker()};
}

}  // namespace mlp::kernels
