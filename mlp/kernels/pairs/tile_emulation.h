// The CPU's tiles as Intel's manual defines them, in plain C++: what tests run where there are
// none, and compare with where there are.
#pragma once

#include "mlp/kernels/pairs/pairs.h"

namespace mlp::kernels {

// For panels of 32 columns, on any x86-64.
const PairKernels& EmulatedTilePairTable();

}  // namespace mlp::kernels
