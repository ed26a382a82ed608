#include "mlp/record/gpu.h"

namespace mlp::record {

std::optional<Gpu> ReadGpu() { return std::nullopt; }

}  // namespace mlp::record
