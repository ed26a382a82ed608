// What every strategy is made from, and the pieces that several of them share.
#pragma once

#include <algorithm>
#include <span>

#include "mlp/base/profile.h"
#include "mlp/base/team.h"
#include "mlp/engine/layerwise.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/optim/optimizer.h"
#include "mlp/train/strategies/strategy.h"

namespace mlp::train {

struct Setup {
  const StrategyOptions& options;
  size_t max_batch;
  model::Model& model;
  optim::Optimizer& optimizer;
};

// Everything a strategy keeps of its Setup.
class StrategyBase : public Strategy {
 protected:
  explicit StrategyBase(const Setup& setup)
      : model_(setup.model),
        optimizer_(setup.optimizer),
        kernels_(kernels::KernelsFor(setup.options.target)),
        math_(setup.options.math),
        threads_(setup.options.threads),
        profile_(setup.options.profile) {}

  kernels::Context ContextOf(const Worker& worker) const {
    return {&kernels_, math_, worker, LaneOf(worker)};
  }
  // For work that this worker of a team does alone.
  kernels::Context AloneOf(const Worker& worker) const {
    return {&kernels_, math_, Worker(), LaneOf(worker)};
  }
  ProfileLane* LaneOf(const Worker& worker) const {
    return profile_ == nullptr ? nullptr : profile_->lane(worker.rank());
  }

  std::span<float> parameters() { return model_.parameters(); }
  size_t parameter_count() const { return model_.parameters().size(); }

  // Applies the whole gradient. SPMD.
  void UpdateAll(const kernels::Context& context, std::span<const float> gradient) {
    const ProfileScope scope(
        context.lane, ProfileOp::kUpdate, kNoLayer,
        UpdateWork(static_cast<double>(parameter_count()) / context.worker.size()));
    kernels::Update(context, optimizer_.options().kind, optimizer_.step(),
                    optimizer_.Spans({0, parameter_count()}, parameters(), gradient));
  }
  // Applies the gradient of a stretch of the parameters, by the calling worker alone.
  void UpdateRange(const kernels::Context& context, optim::Optimizer& optimizer, Range range,
                   std::span<const float> gradient) {
    const ProfileScope scope(context.lane, ProfileOp::kUpdate, kNoLayer,
                             UpdateWork(static_cast<double>(range.size())));
    kernels::UpdateBlock(context, optimizer.options().kind, optimizer.step(),
                         optimizer.Spans(range, parameters(), gradient));
  }

  // Of so many parameters.
  ProfileWork UpdateWork(double parameters) const {
    const kernels::OptimizerKind kind = optimizer_.options().kind;
    return {parameters * kernels::FlopsPerParameter(kind),
            parameters * kernels::BytesPerParameter(kind)};
  }

  model::Model& model_;
  optim::Optimizer& optimizer_;
  const kernels::KernelSet& kernels_;
  const kernels::MathMode math_;
  const int threads_;
  Profile* const profile_;
};

// Part `shard` of `shards` of a batch; may be empty.
inline engine::Batch Shard(const engine::Batch& batch, size_t shard, size_t shards) {
  const Range rows = Share(batch.rows.size(), 1, shard, shards);
  return {batch.examples, batch.rows.subspan(rows.begin, rows.size())};
}

inline float InverseOf(size_t samples) { return 1.0f / static_cast<float>(samples); }

}  // namespace mlp::train
