// The textbook's model in double with the same layers: what tests and records compare with.
#pragma once

#include <span>

#include "mlp/model/spec.h"
#include "mlp/reference/mlp.h"

namespace mlp::model {

// parameters: [spec.parameter_count()], in the order of Model's.
reference::Mlp Textbook(const ModelSpec& spec, std::span<const float> parameters);

}  // namespace mlp::model
