// Which models a contest can be about.
#pragma once

#include "absl/status/status.h"
#include "mlp/data/dataset.h"
#include "mlp/model/spec.h"

namespace mlp::peers {

// InvalidArgument, which begins with "model": it has other activations than relu, which is all that
// peers know, or does not lead from the data's pixels to their classes.
absl::Status CheckModel(const model::ModelSpec& spec, const data::Dataset& dataset);

}  // namespace mlp::peers
