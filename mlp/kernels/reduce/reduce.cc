#include "mlp/kernels/reduce/reduce.h"

#include <algorithm>

#include "mlp/kernels/reduce/kernels.h"

namespace mlp::kernels {
namespace {

// A norm is a sum over chunks of this many elements: a short fp32 sum each, added up in double.
constexpr size_t kChunk = 4096;

}  // namespace

const ReduceKernels* FindReduceKernels(const Target& target) {
#define MLP_TARGET(backend, isa)                    \
  if (target == Target{Backend::backend, Isa::isa}) \
    return &ReduceTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

void ColumnSums(const Context& context, ConstMatrix x, Output output, std::span<float> sums) {
  MLP_CHECK_EQ(x.cols(), sums.size());
  const Range cols = context.worker.Share(x.cols(), kFloatsPerLine);
  context.kernels->reduce->column_sums(x.Cols(cols.begin, cols.size()), output,
                                       sums.data() + cols.begin);
}

size_t NormPartials(size_t n) { return (n + kChunk - 1) / kChunk; }

double SquaredNorm(const Context& context, std::span<const float> x, std::span<double> partials) {
  MLP_CHECK_EQ(partials.size(), NormPartials(x.size()));
  const Range chunks = context.worker.Share(partials.size());
  for (size_t i = chunks.begin; i < chunks.end; ++i) {
    const size_t n = std::min(kChunk, x.size() - i * kChunk);
    partials[i] = context.kernels->reduce->sum_of_squares(n, x.data() + i * kChunk);
  }
  context.Sync();
  double sum = 0;
  for (const double partial : partials) sum += partial;
  return sum;
}

double Sum(std::span<const float> x) {
  double sum = 0;
  for (const float v : x) sum += v;
  return sum;
}

}  // namespace mlp::kernels
