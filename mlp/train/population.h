// Trains many independent models in one process: one model per thread at a time, on data that all
// of them share. On small models that is faster than all threads on one model after the other, as
// nobody waits for anybody.
//
// Jaderberg et al., "Population based training of neural networks" (2017) begins with such a
// population; what to do with the results is the caller's affair.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "mlp/data/dataset.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/train/callback.h"
#include "mlp/train/evaluate.h"
#include "mlp/train/trainer.h"

namespace mlp::train {

// One model to train.
struct Member {
  model::ModelSpec spec;
  TrainOptions options;  // options.seed is also that of the initial weights
};

struct MemberResult {
  // Not OK: why this member could not be trained, or went wrong; what follows is as far as it came.
  absl::Status status;
  std::optional<model::Model> model;
  std::vector<EpochSummary> epochs;
  Evaluation test;
};

// After each epoch of a member, from whichever thread trains it, one call at a time. kStop ends
// that member alone, and keeps those from beginning that wait.
using PopulationCallback = std::function<Next(size_t member, const EpochSummary& epoch)>;

// Trains all members on `threads` threads and tests them, large ones first. Results have the order
// of the members, and the bits of each are those of a Trainer with the same options, whatever the
// number of threads here. Members compute on one thread each: their own number of threads counts
// only where it decides the number of shards, and they note nothing in a profile. A member that
// fails leaves the others alone.
std::vector<MemberResult> TrainPopulation(const data::Dataset& dataset,
                                          const std::vector<Member>& members, int threads,
                                          const PopulationCallback& callback = nullptr);

}  // namespace mlp::train
