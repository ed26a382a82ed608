#include "mlp/engine/batch.h"

#include <numeric>

#include "mlp/base/check.h"
#include "mlp/kernels/reduce/reduce.h"

namespace mlp::engine {

StepResult StepResult::Of(std::span<const float> losses, std::span<const uint8_t> hits) {
  MLP_CHECK_EQ(losses.size(), hits.size());
  return {kernels::Sum(losses), std::accumulate(hits.begin(), hits.end(), size_t{0}),
          losses.size()};
}

}  // namespace mlp::engine
