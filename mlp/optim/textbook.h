// The textbook in double of an optimizer: what tests and records compare with.
#pragma once

#include <memory>

#include "mlp/optim/optimizer.h"
#include "mlp/reference/optimizer.h"

namespace mlp::optim {

std::unique_ptr<reference::Optimizer> Textbook(const OptimizerOptions& options);

}  // namespace mlp::optim
