// How far a model's training is: with its parameters, all that it takes to go on with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mlp/base/aligned_buffer.h"

namespace mlp::model {

struct TrainingState {
  size_t epochs_done = 0;

  // Of the epoch after those, as far as it was trained.
  size_t steps_done = 0;
  double loss_sum = 0;  // nats
  size_t hits = 0;
  size_t samples = 0;
  double seconds = 0;

  int64_t optimizer_steps = 0;
  std::vector<AlignedBuffer<float>> optimizer_states;  // [states][parameters]
};

}  // namespace mlp::model
