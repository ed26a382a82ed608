// How much memory a training takes, known before anything of it is allocated.
#pragma once

#include "absl/status/status.h"
#include "mlp/data/dataset.h"
#include "mlp/model/spec.h"
#include "mlp/train/trainer.h"

namespace mlp::train {

// Bytes that a training takes beside its data, at least: the model, the optimizer's state, what the
// strategy plans and the parameters that an evaluation packs. Small parts are left out. A double,
// as the product of all options may be beyond any integer.
double NeededMemory(const model::ModelSpec& spec, const TrainOptions& options,
                    const data::Dataset& dataset);

// ResourceExhausted, with both figures, where that is more than this process may still take. To be
// asked before a model is made: the system would end the program by a signal, after minutes.
absl::Status CheckMemory(const model::ModelSpec& spec, const TrainOptions& options,
                         const data::Dataset& dataset);

}  // namespace mlp::train
