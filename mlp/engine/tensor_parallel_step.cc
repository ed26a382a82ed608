// The order of a step, and what its ops have to do, for a profile.
#include <xmmintrin.h>

#include <algorithm>
#include <bit>

#include "mlp/base/check.h"
#include "mlp/base/profile.h"
#include "mlp/base/timer.h"
#include "mlp/data/packed_pixels.h"
#include "mlp/engine/tensor_parallel.h"

namespace mlp::engine {

StepResult TensorParallel::Steps(const Batch& batch, size_t batch_size,
                                 std::span<const kernels::UpdateStep> updates) {
  MLP_CHECK_EQ(batch.examples->features, features_);
  MLP_CHECK_GT(batch.rows.size(), 0u);
  MLP_CHECK_GT(batch_size, 0u);
  const size_t largest = std::min(batch_size, batch.rows.size());
  MLP_CHECK_LE(largest, max_batch_);
  MLP_CHECK_EQ(updates.size(), (batch.rows.size() + batch_size - 1) / batch_size);
  StepResult result;
  const bool past_caches = threads_ > 1 && past_caches_.value_or(past_caches_trial_.second());
  const Timer timer;
  RunTeam(threads_, [&](const Worker& worker) {
    for (size_t i = 0; i < updates.size(); ++i) {
      std::span<const uint32_t> rest = batch.rows.subspan(i * batch_size);
      const std::span<const uint32_t> rows = rest.first(std::min(batch_size, rest.size()));
      rest = rest.subspan(rows.size());
      const Batch part = {
          batch.examples, rows,
          rest.empty() ? batch.next_rows : rest.first(std::min(batch_size, rest.size()))};
      const Turn turn = {part,
                         updates[i],
                         worker,
                         worker.Share(shards_),
                         desks_[static_cast<size_t>(worker.rank())],
                         past_caches};
      RunStep(turn);
      if (turn.rank() == 0) result += ResultOf(turn);
      if (meets_after_step_ && i + 1 < updates.size()) {
        signals_.Raise(worker.rank());
        signals_.Await(worker.rank());
      }
    }
  });
  past_caches_trial_.Note(timer.Seconds(), static_cast<double>(batch.rows.size()));
  return result;
}

StepResult TensorParallel::ResultOf(const Turn& turn) const {
  return StepResult::Of(turn.desk.losses.first(turn.rows()), turn.desk.hits.first(turn.rows()));
}

void TensorParallel::Raise(const Turn& turn) {
  if (turn.past_caches) _mm_sfence();
  signals_.Raise(turn.worker.rank());
}

void TensorParallel::RunStep(const Turn& turn) {
  ProfileLane* const lane = profile_ == nullptr ? nullptr : profile_->lane(turn.worker.rank());
  const auto none = ProfileWork{};
  if (pairs_ != nullptr && pairs_->state != nullptr) HoldInTeam(*pairs_->state);
  const data::Examples& examples = *turn.batch.examples;
  const data::PackedPixels& packed = examples.packed;
  turn.desk.prefetch =
      packed.empty()
          ? kernels::RowPrefetcher(examples.pixels.data(), examples.features, turn.batch.next_rows)
          : kernels::RowPrefetcher(packed.records(), packed.lines(), packed.offsets().data(),
                                   data::PackedPixels::kGrain, turn.batch.next_rows);
  {
    const double bytes = static_cast<double>(turn.rows() * layers_.front().inputs);
    const ProfileScope scope(lane, ProfileOp::kGather, kNoLayer, {0, bytes});
    GatherInput(turn);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    {
      const ProfileScope scope(lane, ProfileOp::kForward, i, lane ? ProductWork(turn, i) : none);
      Forward(turn, i);
    }
    if (layers_[i].split == Split::kByColumns) continue;
    Raise(turn);
    {
      const ProfileScope scope(lane, ProfileOp::kWait);
      signals_.Await(turn.worker.rank());
    }
    const ProfileScope scope(lane, ProfileOp::kSumProducts, i);
    FinishForward(turn, i);
  }
  {
    const ProfileScope scope(lane, ProfileOp::kLoss);
    Loss(turn);
  }
  const auto update = [&](size_t i) {
    const ProfileScope scope(lane, ProfileOp::kGradientUpdate, i,
                             lane ? UpdateWork(turn, i) : none);
    UpdateLayer(turn, i);
  };
  for (size_t i = layers_.size(); i-- > 0;) {
    // A layer's input gradient takes its old weights, so it comes before the update. That of a
    // layer split by rows needs no other shard; its update waits until the partial sums of the
    // layer below are on their way.
    if (i > 0) {
      const ProfileScope scope(lane, ProfileOp::kInputGradient, i,
                               lane ? ProductWork(turn, i) : none);
      BackwardInput(turn, i);
    }
    if (layers_[i].split == Split::kByRows) {
      if (i == 0) update(0);
      continue;
    }
    if (i > 0) Raise(turn);
    update(i + 1);
    update(i);
    if (i > 0) {
      {
        const ProfileScope scope(lane, ProfileOp::kWait);
        signals_.Await(turn.worker.rank());
      }
      const ProfileScope scope(lane, ProfileOp::kSumInputGradients, i);
      FinishInputGradient(turn, i);
    }
  }
}

ProfileWork TensorParallel::ProductWork(const Turn& turn, size_t i) const {
  const Layer& layer = layers_[i];
  const auto rows = static_cast<double>(turn.rows());
  // What a slice's stretches have that is not 0. Shards split by columns read the same ones.
  size_t counted_from = stretches_.size();
  size_t count = 0;
  const auto count_terms = [&](Range stretches) {
    if (stretches.begin == counted_from) return count;
    counted_from = stretches.begin;
    count = 0;
    for (size_t l = stretches.begin; l < stretches.end; ++l) {
      for (const kernels::SparseRow& row : turn.desk.rows.subspan(l * max_batch_, turn.rows())) {
        count += static_cast<size_t>(std::popcount(row.bits));
      }
    }
    return count;
  };
  ProfileWork work;
  for (size_t s = turn.shards.begin; s < turn.shards.end; ++s) {
    const Slice& slice = layer.slices[s];
    const auto in = static_cast<double>(slice.in.size());
    const auto out = static_cast<double>(slice.out.size());
    // Of the sums in one column.
    const double terms =
        i == 0 && skip_zeros_ ? static_cast<double>(count_terms(slice.stretches)) : rows * in;
    work.flop += 2 * terms * out;
    // Input, weights, output.
    work.bytes += sizeof(float) * (terms + in * out + rows * out);
  }
  return work;
}

ProfileWork TensorParallel::UpdateWork(const Turn& turn, size_t i) const {
  ProfileWork work = ProductWork(turn, i);
  for (size_t s = turn.shards.begin; s < turn.shards.end; ++s) {
    const Slice& slice = layers_[i].slices[s];
    const auto weights = static_cast<double>(slice.in.size() * slice.out.size());
    work.flop += weights * kernels::FlopsPerParameter(optimizer_);
    // The gradient is never stored.
    work.bytes += weights * (kernels::BytesPerParameter(optimizer_) - 2 * sizeof(float));
  }
  return work;
}

}  // namespace mlp::engine
