#include "mlp/kernels/loss/loss.h"

#include <algorithm>

#include "mlp/base/check.h"
#include "mlp/base/names.h"
#include "mlp/kernels/loss/loss_math.h"
#include "mlp/kernels/softmax/softmax.h"

namespace mlp::kernels {
namespace {

// visit(functor, policy) for a loss that looks at one output at a time.
template <class Visit>
void WithPointwise(LossKind kind, MathMode math, Visit visit) {
  const auto with_math = [&](auto loss) {
    return math == MathMode::kFast ? visit(loss, FastMath()) : visit(loss, ExactMath());
  };
  switch (kind) {
    case LossKind::kSoftmaxCrossEntropy:
      break;
    case LossKind::kBinaryCrossEntropy:
      return with_math(BinaryCrossEntropy());
    case LossKind::kMeanSquaredError:
      return with_math(MeanSquaredError());
  }
  MLP_CHECK(!"softmax cross-entropy looks at all outputs");
}

float TargetOf(uint8_t label, size_t j, size_t n) {
  return n == 1 ? static_cast<float>(label) : static_cast<float>(label == j);
}

template <class F>
uint32_t ClassOf(const float* z, size_t n) {
  if (n == 1) return z[0] > F::kThreshold ? 1 : 0;
  return static_cast<uint32_t>(std::max_element(z, z + n) - z);
}

}  // namespace

absl::string_view Name(LossKind kind) {
  switch (kind) {
#define MLP_LOSS(enumerator, name, output) \
  case LossKind::k##enumerator:            \
    return name;
#include "mlp/kernels/loss/losses.inc"
#undef MLP_LOSS
  }
  __builtin_unreachable();
}

absl::string_view OutputName(LossKind kind) {
  switch (kind) {
#define MLP_LOSS(enumerator, name, output) \
  case LossKind::k##enumerator:            \
    return output;
#include "mlp/kernels/loss/losses.inc"
#undef MLP_LOSS
  }
  __builtin_unreachable();
}

absl::StatusOr<LossKind> ParseLossKind(absl::string_view name) {
  return ParseName("--loss", kLossKinds, name, "auto");
}

void Loss(const Context& context, LossKind kind, ConstMatrix outputs,
          std::span<const uint8_t> labels, float scale, std::span<float> losses,
          std::span<uint8_t> hits, Matrix gradient) {
  if (kind == LossKind::kSoftmaxCrossEntropy) {
    return SoftmaxCrossEntropy(context, outputs, labels, scale, losses, hits, gradient);
  }
  const size_t n = outputs.cols();
  MLP_CHECK_GT(n, 0u);
  MLP_CHECK_EQ(outputs.rows(), labels.size());
  MLP_CHECK_EQ(outputs.rows(), losses.size());
  MLP_CHECK_EQ(outputs.rows(), hits.size());
  MLP_CHECK_EQ(outputs.rows(), gradient.rows());
  MLP_CHECK_EQ(n, gradient.cols());
  const Range rows = context.worker.Share(outputs.rows());
  const float part = 1 / static_cast<float>(n);
  WithPointwise(kind, context.math, [&]<class F, class Math>(F, Math) {
    for (size_t i = rows.begin; i < rows.end; ++i) {
      const float* z = outputs.row(i);
      MLP_CHECK_LT(labels[i], ClassCount(kind, n));
      hits[i] = ClassOf<F>(z, n) == labels[i];
      float sum = 0;
      for (size_t j = 0; j < n; ++j) {
        float slope;
        sum += F::template Value<Math>(z[j], TargetOf(labels[i], j, n), slope);
        gradient(i, j) = scale * part * slope;
      }
      losses[i] = part * sum;
    }
  });
}

void Probabilities(const Context& context, LossKind kind, ConstMatrix outputs, Matrix p) {
  if (kind == LossKind::kSoftmaxCrossEntropy) return Softmax(context, outputs, p);
  const size_t n = outputs.cols();
  MLP_CHECK_EQ(outputs.rows(), p.rows());
  MLP_CHECK_EQ(p.cols(), ClassCount(kind, n));
  const Range rows = context.worker.Share(outputs.rows());
  WithPointwise(kind, context.math, [&]<class F, class Math>(F, Math) {
    for (size_t i = rows.begin; i < rows.end; ++i) {
      for (size_t j = 0; j < n; ++j) {
        p(i, p.cols() - n + j) = F::template Output<Math>(outputs(i, j));
      }
      if (n == 1) p(i, 0) = 1 - p(i, 1);
    }
  });
}

void Classify(const Context& context, LossKind kind, ConstMatrix outputs,
              std::span<uint32_t> classes) {
  if (ClassCount(kind, outputs.cols()) == outputs.cols()) return ArgMax(context, outputs, classes);
  MLP_CHECK_EQ(outputs.rows(), classes.size());
  const Range rows = context.worker.Share(outputs.rows());
  WithPointwise(kind, context.math, [&]<class F, class Math>(F, Math) {
    for (size_t i = rows.begin; i < rows.end; ++i) classes[i] = ClassOf<F>(outputs.row(i), 1);
  });
}

}  // namespace mlp::kernels
