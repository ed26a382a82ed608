// Times single kernels on one thread.
#pragma once

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "experiments/harness/session.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/record/record.h"
#include "mlp/tensor/matrix.h"

namespace mlp::experiments {

// What one call does, for rates; 0 leaves the rate out.
struct Work {
  double flop = 0;
  double bytes = 0;  // read and written
};

// Calls `body` again and again (once in a smoke run). Into `run`: timings call_s (several samples,
// each the mean over enough calls for the clock), flop_per_s, bytes_per_s (of the median sample).
void TimeCalls(const Session& session, const Work& work, absl::FunctionRef<void()> body,
               record::RunRecord& run);

// A matrix with a kernel's row stride, filled with uniform numbers from low to high.
class TestMatrix {
 public:
  TestMatrix(size_t rows, size_t cols, float low, float high, uint64_t seed = 1);
  Matrix view() { return view_; }

 private:
  AlignedBuffer<float> buffer_;  // [rows, padded cols]
  Matrix view_;
};

// The kernels of a training step, each at the sizes of 784-128-128-128-10 with batch 128. Params,
// resolved kernel and timings go into `run`.
enum class GemmProduct { kForward, kInputGradient, kWeightGradient };
void TimeGemm(const Session& session, const kernels::Target& target, GemmProduct product,
              record::RunRecord& run);
void TimeActivation(const Session& session, const kernels::Target& target, kernels::MathMode math,
                    kernels::Activation activation, record::RunRecord& run);
void TimeSoftmax(const Session& session, const kernels::Target& target, kernels::MathMode math,
                 record::RunRecord& run);
// Adam over 134,794 parameters.
void TimeAdam(const Session& session, const kernels::Target& target, kernels::MathMode math,
              record::RunRecord& run);

}  // namespace mlp::experiments
