#include "mlp/train/strategies/tiny.h"

#include <algorithm>

namespace mlp::train {
namespace {

// Some ten microseconds: long against a look at the clock, short for who waits.
constexpr size_t kSamplesAtOnce = 256;

}  // namespace

Tiny::Tiny(const Setup& setup)
    : StrategyBase(setup),
      engine_(setup.model, setup.optimizer, kernels_, math_),
      clipper_(setup.options.clip_norm, engine_.gradient().size()),
      steps_at_once_(std::max<size_t>(1, kSamplesAtOnce / setup.max_batch)) {}

engine::StepResult Tiny::Step(const engine::Batch& batch) {
  return Steps(batch, batch.rows.size());
}

engine::StepResult Tiny::Steps(const engine::Batch& batch, size_t batch_size) {
  engine::StepResult sum;
  RunTeam(1, [&](const Worker& worker) {
    // One for all of them: a step is hardly longer than two looks at the clock.
    const ProfileScope scope(LaneOf(worker), ProfileOp::kGradientUpdate);
    const kernels::Context context = {&kernels_, math_, Worker()};
    for (size_t begin = 0; begin < batch.rows.size(); begin += batch_size) {
      const size_t n = std::min(batch_size, batch.rows.size() - begin);
      optimizer_.BeginStep();
      if (n == 1 && !clipper_.clips()) {
        const kernels::TinyResult result =
            engine_.Step(*batch.examples, batch.rows[begin], optimizer_.step());
        sum.loss_sum += result.loss;
        sum.hits += result.hit;
        ++sum.samples;
        continue;
      }
      sum += engine_.Gradient(*batch.examples, batch.rows.subspan(begin, n));
      clipper_.Clip(context, engine_.gradient());
      engine_.Update(optimizer_.step());
    }
  });
  return sum;
}

}  // namespace mlp::train
