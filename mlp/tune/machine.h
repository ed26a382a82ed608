// The candidates of a Tuning, measured on this machine: steps of the reference job.
#pragma once

#include "mlp/tune/tuning.h"

namespace mlp::tune {

// At most so long, on a machine that is not busy.
inline constexpr double kBudget_s = 1.5;

// All of this machine.
Space ThisMachine();

Tuning TuneThisMachine();

}  // namespace mlp::tune
