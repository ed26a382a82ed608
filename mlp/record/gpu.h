// The GPU of this machine. gpu_cuda.cc asks the CUDA runtime (--config=gpu), gpu_none.cc knows
// none.
#pragma once

#include <optional>

#include "mlp/record/record.h"

namespace mlp::record {

// The first GPU; nothing if there is none, or none that the driver can use.
std::optional<Gpu> ReadGpu();

}  // namespace mlp::record
