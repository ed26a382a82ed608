#include "mlp/kernels/update/update.h"

#include "mlp/base/names.h"
#include "mlp/kernels/update/kernels.h"
#include "mlp/kernels/update/optimizer_math.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {
namespace {

// The elements of `range` of every span.
UpdateSpans Part(const UpdateSpans& spans, Range range) {
  UpdateSpans part = {spans.parameters.subspan(range.begin, range.size()),
                      spans.gradient.subspan(range.begin, range.size()),
                      {}};
  for (size_t k = 0; k < kMaxStates; ++k) {
    if (!spans.states[k].empty()) {
      part.states[k] = spans.states[k].subspan(range.begin, range.size());
    }
  }
  return part;
}

}  // namespace

const UpdateKernels* FindUpdateKernels(const Target& target) {
#define MLP_TARGET(backend, isa)                    \
  if (target == Target{Backend::backend, Isa::isa}) \
    return &UpdateTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

absl::string_view Name(OptimizerKind kind) {
  switch (kind) {
#define MLP_OPTIMIZER(functor, name) \
  case OptimizerKind::k##functor:    \
    return name;
#include "mlp/kernels/update/optimizers.inc"
#undef MLP_OPTIMIZER
  }
  __builtin_unreachable();
}

absl::StatusOr<OptimizerKind> ParseOptimizerKind(absl::string_view name) {
  return ParseName("--optimizer", kOptimizerKinds, name);
}

size_t States(OptimizerKind kind) {
  switch (kind) {
#define MLP_OPTIMIZER(functor, name)               \
  case OptimizerKind::k##functor:                  \
    static_assert(functor::kStates <= kMaxStates); \
    return functor::kStates;
#include "mlp/kernels/update/optimizers.inc"
#undef MLP_OPTIMIZER
  }
  __builtin_unreachable();
}

double FlopsPerParameter(OptimizerKind kind) {
  switch (kind) {
#define MLP_OPTIMIZER(functor, name) \
  case OptimizerKind::k##functor:    \
    return functor::kFlops;
#include "mlp/kernels/update/optimizers.inc"
#undef MLP_OPTIMIZER
  }
  __builtin_unreachable();
}

double BytesPerParameter(OptimizerKind kind) {
  return sizeof(float) * (1 + 2 * (1 + static_cast<double>(States(kind))));
}

void UpdateBlock(const Context& context, OptimizerKind kind, const UpdateStep& step,
                 const UpdateSpans& spans) {
  MLP_CHECK_EQ(spans.parameters.size(), spans.gradient.size());
  for (size_t k = 0; k < States(kind); ++k) {
    MLP_CHECK_EQ(spans.parameters.size(), spans.states[k].size());
  }
  context.kernels->update->run(kind, context.math, step, spans);
}

void Update(const Context& context, OptimizerKind kind, const UpdateStep& step,
            const UpdateSpans& spans) {
  const Range mine = context.worker.Share(spans.parameters.size(), kFloatsPerLine);
  UpdateBlock(context, kind, step, Part(spans, mine));
}

}  // namespace mlp::kernels
