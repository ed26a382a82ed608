#include "mlp/kernels/elementwise/elementwise.h"

#include <algorithm>
#include <atomic>

#include "mlp/base/names.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/elementwise/activation_math.h"
#include "mlp/kernels/elementwise/kernels.h"

namespace mlp::kernels {
namespace {

// Workers that split a flat span do so at whole cache lines.
constexpr size_t kGrain = kFloatsPerLine;

void CheckSameShape(const ConstMatrix& a, const ConstMatrix& b) {
  MLP_CHECK_EQ(a.rows(), b.rows());
  MLP_CHECK_EQ(a.cols(), b.cols());
}

void Prefetch(const uint8_t* from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(from + i);
}

}  // namespace

const ElementwiseKernels* FindElementwiseKernels(const Target& target) {
#define MLP_TARGET(backend, isa)                    \
  if (target == Target{Backend::backend, Isa::isa}) \
    return &ElementwiseTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

absl::string_view Name(Activation activation) {
  switch (activation) {
#define MLP_ACTIVATION(functor, name) \
  case Activation::k##functor:        \
    return name;
#include "mlp/kernels/elementwise/activations.inc"
#undef MLP_ACTIVATION
  }
  __builtin_unreachable();
}

absl::StatusOr<Activation> ParseActivation(absl::string_view name) {
  return ParseName("activation", kActivations, name);
}

bool SlopeFromOutput(Activation activation) {
  switch (activation) {
#define MLP_ACTIVATION(functor, name) \
  case Activation::k##functor:        \
    return functor::kSlopeFromOutput;
#include "mlp/kernels/elementwise/activations.inc"
#undef MLP_ACTIVATION
  }
  __builtin_unreachable();
}

void ActivateBlock(const Context& context, Activation activation, ConstMatrix x, Matrix y) {
  CheckSameShape(x, y);
  context.kernels->elementwise->activate(activation, context.math, x, y);
}

void Activate(const Context& context, Activation activation, ConstMatrix x, Matrix y) {
  const Range rows = context.worker.Share(x.rows());
  ActivateBlock(context, activation, x.Rows(rows.begin, rows.size()),
                y.Rows(rows.begin, rows.size()));
}

void ActivateBackward(const Context& context, Activation activation, ConstMatrix x, ConstMatrix y,
                      ConstMatrix dy, Matrix dx) {
  CheckSameShape(y, dy);
  CheckSameShape(y, dx);
  const Range rows = context.worker.Share(y.rows());
  const auto part = [rows](auto matrix) { return matrix.Rows(rows.begin, rows.size()); };
  // Where only y is read, x may be absent.
  if (SlopeFromOutput(activation)) {
    x = y;
  } else {
    CheckSameShape(x, y);
  }
  context.kernels->elementwise->activate_backward(activation, context.math, part(x), part(y),
                                                  part(dy), part(dx));
}

void GatherRows(const Context& context, const uint8_t* pixels, std::span<const uint32_t> rows,
                float scale, Matrix x) {
  MLP_CHECK_EQ(rows.size(), x.rows());
  const Range mine = context.worker.Share(rows.size());
  for (size_t i = mine.begin; i < mine.end; ++i) {
    // Rows lie anywhere in memory: ask for one while the one before is converted.
    if (i + 1 < mine.end) Prefetch(pixels + rows[i + 1] * x.cols(), x.cols());
    context.kernels->elementwise->convert(x.cols(), scale, pixels + rows[i] * x.cols(), x.row(i));
  }
}

void GatherRows(const Context& context, const float* values, std::span<const uint32_t> rows,
                Matrix x) {
  MLP_CHECK_EQ(rows.size(), x.rows());
  const Range mine = context.worker.Share(rows.size());
  for (size_t i = mine.begin; i < mine.end; ++i) {
    std::copy_n(values + rows[i] * x.cols(), x.cols(), x.row(i));
  }
}

void Scale(const Context& context, float factor, std::span<float> x) {
  const Range mine = context.worker.Share(x.size(), kGrain);
  context.kernels->elementwise->scale(mine.size(), factor, x.data() + mine.begin);
}

void AddTo(const Context& context, std::span<const float> x, std::span<float> y) {
  MLP_CHECK_EQ(x.size(), y.size());
  const Range mine = context.worker.Share(x.size(), kGrain);
  context.kernels->elementwise->add(mine.size(), x.data() + mine.begin, y.data() + mine.begin);
}

void AtomicAddTo(std::span<const float> x, std::span<float> y) {
  MLP_CHECK_EQ(x.size(), y.size());
  for (size_t i = 0; i < x.size(); ++i) {
    std::atomic_ref<float>(y[i]).fetch_add(x[i], std::memory_order_relaxed);
  }
}

}  // namespace mlp::kernels
