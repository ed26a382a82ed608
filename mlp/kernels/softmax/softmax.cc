#include "mlp/kernels/softmax/softmax.h"

#include <algorithm>
#include <cmath>

#include "mlp/kernels/elementwise/kernels.h"
#include "mlp/kernels/softmax/kernels.h"

namespace mlp::kernels {
namespace {

size_t FirstIndexOf(const float* x, size_t n, float value) {
  return static_cast<size_t>(std::find(x, x + n, value) - x);
}

}  // namespace

const SoftmaxKernels* FindSoftmaxKernels(const Target& target) {
#define MLP_TARGET(backend, isa)                    \
  if (target == Target{Backend::backend, Isa::isa}) \
    return &SoftmaxTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/eigen_targets.inc"
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

void Softmax(const Context& context, ConstMatrix x, Matrix p) {
  MLP_CHECK_EQ(x.rows(), p.rows());
  MLP_CHECK_EQ(x.cols(), p.cols());
  if (x.empty()) return;
  const SoftmaxKernels& kernels = *context.kernels->softmax;
  const Range rows = context.worker.Share(x.rows());
  for (size_t i = rows.begin; i < rows.end; ++i) {
    const float shift = kernels.max(x.cols(), x.row(i));
    const float sum = kernels.exp(context.math, x.cols(), shift, x.row(i), p.row(i));
    context.kernels->elementwise->scale(x.cols(), 1 / sum, p.row(i));
  }
}

void LogSoftmax(const Context& context, ConstMatrix x, Matrix y) {
  MLP_CHECK_EQ(x.rows(), y.rows());
  MLP_CHECK_EQ(x.cols(), y.cols());
  if (x.empty()) return;
  const SoftmaxKernels& kernels = *context.kernels->softmax;
  const Range rows = context.worker.Share(x.rows());
  for (size_t i = rows.begin; i < rows.end; ++i) {
    const float shift = kernels.max(x.cols(), x.row(i));
    // The exponentials are needed for their sum alone: y holds x from here on.
    if (y.row(i) != x.row(i)) std::copy_n(x.row(i), x.cols(), y.row(i));
    float sum = 0;
    constexpr size_t kChunk = 64;
    alignas(64) float exponentials[kChunk];
    for (size_t j = 0; j < x.cols(); j += kChunk) {
      const size_t n = std::min(kChunk, x.cols() - j);
      sum += kernels.exp(context.math, n, shift, y.row(i) + j, exponentials);
    }
    const float log_sum = std::log(sum);
    for (size_t j = 0; j < x.cols(); ++j) y(i, j) = (y(i, j) - shift) - log_sum;
  }
}

void SoftmaxCrossEntropy(const Context& context, ConstMatrix logits,
                         std::span<const uint8_t> labels, float scale, std::span<float> losses,
                         std::span<uint8_t> hits, Matrix gradient) {
  const size_t n = logits.cols();
  MLP_CHECK_GT(n, 0u);
  MLP_CHECK_EQ(logits.rows(), labels.size());
  MLP_CHECK_EQ(logits.rows(), losses.size());
  MLP_CHECK_EQ(logits.rows(), hits.size());
  MLP_CHECK_EQ(logits.rows(), gradient.rows());
  MLP_CHECK_EQ(n, gradient.cols());
  const SoftmaxKernels& kernels = *context.kernels->softmax;
  const Range rows = context.worker.Share(logits.rows());
  if (rows.empty()) return;
  for (const size_t label : labels.subspan(rows.begin, rows.size())) MLP_CHECK_LT(label, n);
  if (n <= NarrowCrossEntropy::kMaxClasses && kernels.narrow_cross_entropy != nullptr) {
    kernels.narrow_cross_entropy(
        context.math, {rows.size(), n, logits.row(rows.begin), logits.stride(),
                       labels.data() + rows.begin, scale, losses.data() + rows.begin,
                       hits.data() + rows.begin, gradient.row(rows.begin), gradient.stride()});
    return;
  }
  for (size_t i = rows.begin; i < rows.end; ++i) {
    const float* x = logits.row(i);
    const size_t label = labels[i];
    const float largest = kernels.max(n, x);
    hits[i] = FirstIndexOf(x, n, largest) == label;
    const float of_label = x[label] - largest;
    const float sum = kernels.exp(context.math, n, largest, x, gradient.row(i));
    losses[i] = std::log(sum) - of_label;
    context.kernels->elementwise->scale(n, scale / sum, gradient.row(i));
    gradient(i, label) -= scale;
  }
}

void ArgMax(const Context& context, ConstMatrix x, std::span<uint32_t> index) {
  MLP_CHECK_EQ(x.rows(), index.size());
  MLP_CHECK_GT(x.cols(), 0u);
  const Range rows = context.worker.Share(x.rows());
  for (size_t i = rows.begin; i < rows.end; ++i) {
    const float* row = x.row(i);
    // Where a NaN stands would decide whether a kernel finds it to be the largest.
    const bool has_nan = std::any_of(row, row + x.cols(), [](float a) { return std::isnan(a); });
    index[i] = has_nan ? 0
                       : static_cast<uint32_t>(FirstIndexOf(
                             row, x.cols(), context.kernels->softmax->max(x.cols(), row)));
  }
}

}  // namespace mlp::kernels
