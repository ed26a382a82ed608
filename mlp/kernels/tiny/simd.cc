// A sample's way forth and back. Vectors that one step stores the next one loads whole: a load of
// several smaller stores would have to wait for all of them to reach the cache.
#include "mlp/base/simd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "mlp/kernels/elementwise/map.h"
#include "mlp/kernels/loss/loss_math.h"
#include "mlp/kernels/math_simd.h"
#include "mlp/kernels/tiny/kernels.h"
#include "mlp/kernels/update/for_optimizer.h"

#ifdef __AVX512VL__
// Half of AVX-512's vectors, with its estimates: tiny nets do not fill whole ones. A name of this
// file alone, so that nothing of it is merged with what other files make of AVX2.
namespace {
struct HalfAvx512 : xsimd::fma3<xsimd::avx2> {};
}  // namespace
namespace xsimd::types {
XSIMD_DECLARE_SIMD_REGISTER_ALIAS(HalfAvx512, avx2);
}  // namespace xsimd::types
#endif

namespace mlp::kernels {
namespace {

#ifdef __AVX512VL__
using V = xsimd::batch<float, HalfAvx512>;
#else
using V = Vec<Isa::MLP_TARGET_ISA>;
#endif
constexpr size_t kLanes = V::size;

size_t Padded(size_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// 1 in the first n lanes, n <= kLanes.
V Ones(size_t n) {
  alignas(64) static constexpr auto kTable = [] {
    std::array<float, 2 * kLanes> table = {};
    for (size_t i = 0; i < kLanes; ++i) table[i] = 1;
    return table;
  }();
  return V::load_unaligned(kTable.data() + kLanes - n);
}
// 1 in those of lanes v .. that exist of n.
V Exists(size_t n, size_t v) { return n - v >= kLanes ? V(1.0f) : Ones(n - v); }

// 1 in lane `label` - v, if there is one.
V OneHot(size_t label, size_t v) {
  alignas(64) static constexpr auto kTable = [] {
    std::array<float, 3 * kLanes> table = {};
    table[kLanes] = 1;
    return table;
  }();
  if (label < v || label >= v + kLanes) return V(0.0f);
  return V::load_unaligned(kTable.data() + kLanes - (label - v));
}

V Load(const float* from) { return V::load_aligned(from); }

// The switch stands around one vector, not around the loop: that keeps it in its register.
V Value(Activation activation, MathMode math, V z) {
  V y = z;
  WithActivation(activation, math,
                 [&]<class F, class Math>(F, Math) { y = F::template Value<Math>(z); });
  return y;
}
V Slope(Activation activation, MathMode math, V z, V y) {
  V slope(1.0f);
  WithActivation(activation, math,
                 [&]<class F, class Math>(F, Math) { slope = F::template Slope<Math>(z, y); });
  return slope;
}

// One vector of sums start + sum over k of x[k] w[k * stride]. Four take turns: each term would
// have to wait for the one before.
[[gnu::always_inline]] inline V Combine(const float* x, size_t n, const float* w, size_t stride,
                                        V start) {
  V sums[4] = {start, V(0.0f), V(0.0f), V(0.0f)};
  size_t k = 0;
  for (; k + 4 <= n; k += 4) {
#pragma GCC unroll 4
    for (size_t t = 0; t < 4; ++t) {
      sums[t] = MulAdd(V(x[k + t]), Load(w + (k + t) * stride), sums[t]);
    }
  }
#pragma GCC unroll 4
  for (size_t t = 0; t < 3; ++t) {
    if (k + t < n) sums[t] = MulAdd(V(x[k + t]), Load(w + (k + t) * stride), sums[t]);
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Lane i: the product of the vectors x and w[i * stride], both [padded], for i < n; 0 beyond.
[[gnu::always_inline]] inline V Products(const float* x, size_t padded, const float* w,
                                         size_t stride, size_t n) {
  if (n == 1) {
    V sum = Load(x) * Load(w);
    for (size_t j = kLanes; j < padded; j += kLanes) sum = MulAdd(Load(x + j), Load(w + j), sum);
    return V(xsimd::hadd(sum)) * Ones(1);
  }
  V rows[kLanes];
#pragma GCC unroll 8
  for (size_t i = 0; i < kLanes; ++i) {
    // Rows that are not there are the last one again: no branch, and all of them in registers.
    const float* row = w + std::min(i, n - 1) * stride;
    rows[i] = Load(x) * Load(row);
  }
  for (size_t j = kLanes; j < padded; j += kLanes) {
    const V xj = Load(x + j);
#pragma GCC unroll 8
    for (size_t i = 0; i < kLanes; ++i) {
      rows[i] = MulAdd(xj, Load(w + std::min(i, n - 1) * stride + j), rows[i]);
    }
  }
  const V sums = xsimd::haddp(rows);
  return n >= kLanes ? sums : sums * Ones(n);
}

[[gnu::always_inline]] inline void Forward(const TinyNet& net, const TinyLayer& layer,
                                           const float* parameters, const float* x) {
  const float* w = parameters + layer.weights;
  const size_t in = Padded(layer.inputs);
  const size_t out = Padded(layer.outputs);
  for (size_t v = 0; v < out; v += kLanes) {
    const V bias = Load(parameters + layer.bias + v);
    const V z = layer.along_outputs ? Combine(x, layer.inputs, w + v, out, bias)
                                    : Products(x, in, w + v * in, in, layer.outputs - v) + bias;
    z.store_aligned(net.work + layer.z + v);
    V y = Value(layer.activation, net.math, z);
    // Of padding, too, an activation need not make 0.
    if (layer.outputs - v < kLanes) y = y * Ones(layer.outputs - v);
    y.store_aligned(net.work + layer.y + v);
  }
}

TinyResult SoftmaxLoss(const float* z, size_t n, uint8_t label, float scale, MathMode math,
                       float* d) {
  size_t largest = 0;
  for (size_t j = 1; j < n; ++j) largest = z[j] > z[largest] ? j : largest;
  const V shift(z[largest]);
  V sums(0.0f);
  for (size_t v = 0; v < n; v += kLanes) {
    const V there = Exists(n, v);
    // Padding would overflow where all logits are far below 0.
    const V x = (Load(z + v) - shift) * there;
    const V e = (math == MathMode::kFast ? FastMath::Exp(x) : ExactMath::Exp(x)) * there;
    sums += e;
    e.store_aligned(d + v);
  }
  const float sum = xsimd::hadd(sums);
  for (size_t v = 0; v < n; v += kLanes) {
    const V gradient = Load(d + v) * V(scale / sum) - OneHot(label, v) * V(scale);
    gradient.store_aligned(d + v);
  }
  return {std::log(sum) - (z[label] - z[largest]), largest == label};
}

template <class F, class Math>
TinyResult PointwiseLoss(const float* z, size_t n, uint8_t label, float scale, float* d) {
  const float part = 1 / static_cast<float>(n);
  const V factor(scale * part);
  V losses(0.0f);
  for (size_t v = 0; v < n; v += kLanes) {
    const V target = n == 1 ? V(static_cast<float>(label)) : OneHot(label, v);
    const V there = Exists(n, v);
    V slope;
    losses += F::template Value<Math>(Load(z + v), target, slope) * there;
    (slope * factor * there).store_aligned(d + v);
  }
  const float loss = part * xsimd::hadd(losses);
  if (n == 1) return {loss, (z[0] > F::kThreshold) == label};
  size_t largest = 0;
  for (size_t j = 1; j < n; ++j) largest = z[j] > z[largest] ? j : largest;
  return {loss, largest == label};
}

template <class F>
TinyResult PointwiseLoss(const float* z, size_t n, uint8_t label, float scale, MathMode math,
                         float* d) {
  return math == MathMode::kFast ? PointwiseLoss<F, FastMath>(z, n, label, scale, d)
                                 : PointwiseLoss<F, ExactMath>(z, n, label, scale, d);
}

TinyResult LossOf(const TinyNet& net, const float* z, size_t n, uint8_t label, float scale,
                  float* d) {
  switch (net.loss) {
    case LossKind::kSoftmaxCrossEntropy:
      return SoftmaxLoss(z, n, label, scale, net.math, d);
    case LossKind::kBinaryCrossEntropy:
      return PointwiseLoss<BinaryCrossEntropy>(z, n, label, scale, net.math, d);
    case LossKind::kMeanSquaredError:
      return PointwiseLoss<MeanSquaredError>(z, n, label, scale, net.math, d);
  }
  __builtin_unreachable();
}

// What becomes of a vector of the gradient, that of the parameters from `at` on: it is kept.
template <bool kAdd>
struct Keep {
  float* gradient;

  [[gnu::always_inline]] void operator()(V value, size_t at) const {
    (kAdd ? Load(gradient + at) + value : value).store_aligned(gradient + at);
  }
};

// Or it is applied.
template <class Optimizer, class Math>
struct Apply {
  UpdateStep step;
  float* parameters;
  std::array<float*, kMaxStates> states;

  [[gnu::always_inline]] void operator()(V value, size_t at) const {
    V w = Load(parameters + at);
    V s[kMaxStates];
#pragma GCC unroll 2
    for (size_t k = 0; k < Optimizer::kStates; ++k) s[k] = Load(states[k] + at);
    Optimizer::template Apply<Math>(step, value, w, s);
    w.store_aligned(parameters + at);
#pragma GCC unroll 2
    for (size_t k = 0; k < Optimizer::kStates; ++k) s[k].store_aligned(states[k] + at);
  }
};

// The gradient of a layer's parameters from that of its sums, d.
template <class Sink>
[[gnu::always_inline]] inline void Weights(const TinyLayer& layer, const float* x, const float* d,
                                           const Sink& sink) {
  const size_t w = layer.weights;
  const size_t in = Padded(layer.inputs);
  const size_t out = Padded(layer.outputs);
  for (size_t v = 0; v < out; v += kLanes) {
    const V dv = Load(d + v);
    sink(dv, layer.bias + v);
    if (!layer.along_outputs) continue;
    for (size_t k = 0; k < layer.inputs; ++k) sink(V(x[k]) * dv, w + k * out + v);
  }
  if (layer.along_outputs) return;
  for (size_t j = 0; j < layer.outputs; ++j) {
    for (size_t v = 0; v < in; v += kLanes) sink(V(d[j]) * Load(x + v), w + j * in + v);
  }
}

// From the gradient of a layer's sums to that of the sums of the layer before.
[[gnu::always_inline]] inline void Inputs(const TinyNet& net, const TinyLayer& layer,
                                          const TinyLayer& before, const float* parameters,
                                          const float* d, float* to) {
  const float* w = parameters + layer.weights;
  const size_t in = Padded(layer.inputs);
  const size_t out = Padded(layer.outputs);
  for (size_t v = 0; v < in; v += kLanes) {
    const V dx = layer.along_outputs ? Products(d, out, w + v * out, out, layer.inputs - v)
                                     : Combine(d, layer.outputs, w + v, in, V(0.0f));
    const V slope = Slope(before.activation, net.math, Load(net.work + before.z + v),
                          Load(net.work + before.y + v));
    (dx * slope).store_aligned(to + v);
  }
}

template <class Sink>
TinyResult Sample(const TinyNet& net, const float* parameters, uint8_t label, float scale,
                  const Sink& sink_in) {
  // A copy: vectors that are stored might alias the original.
  const Sink sink = sink_in;
  const float* x = net.x;
  for (const TinyLayer& layer : net.layers) {
    Forward(net, layer, parameters, x);
    x = net.work + layer.y;
  }
  const TinyLayer& last = net.layers.back();
  float* d = net.d[0];
  float* next = net.d[1];
  // The last layer has no activation but what the loss makes of its outputs.
  const TinyResult result = LossOf(net, x, last.outputs, label, scale, d);
  for (size_t i = net.layers.size(); i-- > 0;) {
    const TinyLayer& layer = net.layers[i];
    if (i == 0) {
      Weights(layer, net.x, d, sink);
      break;
    }
    // The way back first: what follows waits for it alone.
    const TinyLayer& before = net.layers[i - 1];
    Inputs(net, layer, before, parameters, d, next);
    Weights(layer, net.work + before.y, d, sink);
    std::swap(d, next);
  }
  return result;
}

TinyResult Gradient(const TinyNet& net, const float* parameters, uint8_t label, float scale,
                    bool add, float* gradient) {
  return add ? Sample(net, parameters, label, scale, Keep<true>{gradient})
             : Sample(net, parameters, label, scale, Keep<false>{gradient});
}

TinyResult Step(const TinyNet& net, OptimizerKind kind, const UpdateStep& step, uint8_t label,
                float* parameters, const std::array<float*, kMaxStates>& states) {
  TinyResult result;
  ForOptimizer(kind, net.math, [&]<class Optimizer, class Math>() {
    result = Sample(net, parameters, label, 1.0f, Apply<Optimizer, Math>{step, parameters, states});
  });
  return result;
}

}  // namespace

template <>
const TinyKernels& TinyTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr TinyKernels kTable = {
      {Backend::kSimd, Isa::MLP_TARGET_ISA}, kLanes, Gradient, Step};
  return kTable;
}

}  // namespace mlp::kernels
