// Times single kernels on one thread.
#pragma once

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "experiments/harness/session.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/record/record.h"
#include "mlp/tensor/matrix.h"

namespace mlp::experiments {

// Runs body(context) as the only worker, denormals flushed as in training. Notes target, math and
// the implementation of the kernel family `op` in `run`.
void OnOneThread(const kernels::Target& target, kernels::MathMode math, const std::string& op,
                 absl::FunctionRef<void(const kernels::Context&)> body, record::RunRecord& run);

// What one call does, for rates; 0 leaves the rate out.
struct Work {
  double flop = 0;
  double bytes = 0;  // read and written
};

// Calls `body` again and again, for the part of the time that the session gives (once in a smoke
// run). Into `run`: timings call_s (several samples,
// each the mean over enough calls for the clock), flop_per_s, bytes_per_s (of the median sample),
// and the metric flop_per_byte, where both are known.
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

// The kernels of a training step of 784-128-128-128-10. Params, resolved kernel and timings go into
// `run`. Bytes are those that have to move: each operand once.
enum class GemmProduct { kForward, kInputGradient, kWeightGradient };

// A dense layer; W is [inputs, units].
struct LayerShape {
  size_t batch = 128;
  size_t inputs = 784;
  size_t units = 128;
};
void TimeGemm(const Session& session, const kernels::Target& target, GemmProduct product,
              const LayerShape& shape, record::RunRecord& run);
// Of [batch, 128].
void TimeActivation(const Session& session, const kernels::Target& target, kernels::MathMode math,
                    kernels::Activation activation, size_t batch, record::RunRecord& run);
// Of [batch, 10].
void TimeSoftmax(const Session& session, const kernels::Target& target, kernels::MathMode math,
                 size_t batch, record::RunRecord& run);
// Adam over 134,794 parameters.
void TimeAdam(const Session& session, const kernels::Target& target, kernels::MathMode math,
              record::RunRecord& run);

}  // namespace mlp::experiments
