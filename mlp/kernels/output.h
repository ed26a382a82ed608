// Whether a result replaces what was there or is added to it.
#pragma once

namespace mlp::kernels {

enum class Output { kOverwrite, kAdd };

}  // namespace mlp::kernels
