#include "mlp/base/simd.h"

#include <algorithm>

#include "mlp/kernels/math_simd.h"
#include "mlp/kernels/softmax/kernels.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;

float Max(size_t n, const float* x) {
  float largest = x[0];
  size_t j = 0;
  if (n >= kLanes) {
    V lanes = V::load_unaligned(x);
    for (j = kLanes; j + kLanes <= n; j += kLanes) lanes = max(V::load_unaligned(x + j), lanes);
    alignas(64) float stored[kLanes];
    lanes.store_aligned(stored);
    // In halves: a chain of kLanes comparisons would wait for each.
    for (size_t half = kLanes / 2; half > 0; half /= 2) {
      for (size_t k = 0; k < half; ++k) stored[k] = max(stored[k], stored[k + half]);
    }
    largest = stored[0];
  }
  for (; j < n; ++j) largest = max(largest, x[j]);
  return largest;
}

template <class Math>
float ExpAndSum(size_t n, float shift, const float* x, float* y) {
  V sums(0.0f);
  size_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    const V e = Math::Exp(V::load_unaligned(x + j) - V(shift));
    e.store_unaligned(y + j);
    sums += e;
  }
  float sum = xsimd::hadd(sums);
  if (j < n) {
    StorePartial(Math::Exp(LoadPartial<V>(x + j, n - j) - V(shift)), y + j, n - j);
    for (; j < n; ++j) sum += y[j];
  }
  return sum;
}

float Exp(MathMode math, size_t n, float shift, const float* x, float* y) {
  return math == MathMode::kFast ? ExpAndSum<FastMath>(n, shift, x, y)
                                 : ExpAndSum<ExactMath>(n, shift, x, y);
}

// to[j, i] = from[i, j]; from: [m, n].
[[gnu::always_inline]] inline void Transpose(size_t m, size_t n, const float* from,
                                             size_t from_stride, float* to, size_t to_stride) {
  const auto element = [&](size_t i, size_t j) {
    to[j * to_stride + i] = from[i * from_stride + j];
  };
  size_t i = 0;
  for (; i + 4 <= m; i += 4) {
    size_t j = 0;
    for (; j + 4 <= n; j += 4) {
      Transpose4x4(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
    }
    for (; j < n; ++j) {
      for (size_t k = i; k < i + 4; ++k) element(k, j);
    }
  }
  for (; i < m; ++i) {
    for (size_t j = 0; j < n; ++j) element(i, j);
  }
}

// A vector holds one class of kLanes rows. Lanes do not meet: what becomes of a row does not depend
// on those beside it.
template <class Math>
void NarrowRows(const NarrowCrossEntropy& job) {
  alignas(64) float lanes[NarrowCrossEntropy::kMaxClasses * kLanes] = {};
  alignas(64) float labels[kLanes] = {};
  alignas(64) float losses[kLanes];
  for (size_t begin = 0; begin < job.rows; begin += kLanes) {
    const size_t rows = std::min(kLanes, job.rows - begin);
    Transpose(rows, job.classes, job.logits + begin * job.logits_stride, job.logits_stride, lanes,
              kLanes);
    for (size_t i = 0; i < rows; ++i) labels[i] = static_cast<float>(job.labels[begin + i]);
    V largest = V::load_aligned(lanes);
    for (size_t j = 1; j < job.classes; ++j) {
      largest = max(V::load_aligned(lanes + j * kLanes), largest);
    }
    const V label = V::load_aligned(labels);
    V sum(0.0f), of_label(0.0f), first(static_cast<float>(job.classes));
    for (size_t j = job.classes; j-- > 0;) {
      const V x = V::load_aligned(lanes + j * kLanes);
      const V number(static_cast<float>(j));
      first = xsimd::select(x == largest, number, first);
      of_label = xsimd::select(label == number, x - largest, of_label);
      const V e = Math::Exp(x - largest);
      e.store_aligned(lanes + j * kLanes);
      sum += e;
    }
    (xsimd::log(sum) - of_label).store_aligned(losses);
    std::copy_n(losses, rows, job.losses + begin);
    first.store_aligned(losses);
    for (size_t i = 0; i < rows; ++i) job.hits[begin + i] = losses[i] == labels[i];
    const V factor = V(job.scale) / sum;
    for (size_t j = 0; j < job.classes; ++j) {
      const V target = xsimd::select(label == V(static_cast<float>(j)), V(job.scale), V(0.0f));
      (V::load_aligned(lanes + j * kLanes) * factor - target).store_aligned(lanes + j * kLanes);
    }
    Transpose(job.classes, rows, lanes, kLanes, job.gradient + begin * job.gradient_stride,
              job.gradient_stride);
  }
}

void Narrow(MathMode math, const NarrowCrossEntropy& job) {
  return math == MathMode::kFast ? NarrowRows<FastMath>(job) : NarrowRows<ExactMath>(job);
}

}  // namespace

template <>
const SoftmaxKernels& SoftmaxTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr SoftmaxKernels kTable = {
      {Backend::kSimd, Isa::MLP_TARGET_ISA}, Max, Exp, Narrow};
  return kTable;
}

}  // namespace mlp::kernels
