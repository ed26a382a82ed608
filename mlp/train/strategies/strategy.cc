#include "mlp/train/strategies/strategy.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mlp/train/strategies/accumulate.h"
#include "mlp/train/strategies/atomic.h"
#include "mlp/train/strategies/fused.h"
#include "mlp/train/strategies/hogwild.h"
#include "mlp/train/strategies/materialized.h"
#include "mlp/train/strategies/per_sample.h"
#include "mlp/train/strategies/thread_private.h"

namespace mlp::train {

absl::string_view Name(StrategyKind kind) {
  switch (kind) {
#define MLP_STRATEGY(type, name, purpose) \
  case StrategyKind::k##type:             \
    return name;
#include "mlp/train/strategies/strategies.inc"
#undef MLP_STRATEGY
  }
  __builtin_unreachable();
}

absl::string_view Purpose(StrategyKind kind) {
  switch (kind) {
#define MLP_STRATEGY(type, name, purpose) \
  case StrategyKind::k##type:             \
    return purpose;
#include "mlp/train/strategies/strategies.inc"
#undef MLP_STRATEGY
  }
  __builtin_unreachable();
}

absl::StatusOr<StrategyKind> ParseStrategyKind(absl::string_view name) {
  for (const StrategyKind kind : kStrategyKinds) {
    if (Name(kind) == name) return kind;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--strategy: expected one of ",
      absl::StrJoin(kStrategyKinds, ", ",
                    [](std::string* out, StrategyKind k) { absl::StrAppend(out, Name(k)); }),
      ", found \"", name, "\""));
}

bool IsDeterministic(StrategyKind kind) {
  return kind != StrategyKind::kAtomic && kind != StrategyKind::kHogwild;
}

bool IsSharded(StrategyKind kind) {
  return kind == StrategyKind::kThreadPrivate || kind == StrategyKind::kAtomic ||
         kind == StrategyKind::kHogwild;
}

bool HoldsWholeGradient(StrategyKind kind) {
  return kind != StrategyKind::kFused && kind != StrategyKind::kHogwild &&
         kind != StrategyKind::kPerSample;
}

absl::StatusOr<std::unique_ptr<Strategy>> MakeStrategy(const StrategyOptions& options,
                                                       size_t max_batch, model::Model& model,
                                                       optim::Optimizer& optimizer) {
  if (!(options.clip_norm >= 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--clip_norm: expected a number from 0, found ", options.clip_norm));
  }
  if (options.clip_norm > 0 && !HoldsWholeGradient(options.kind)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--clip_norm: needs the whole gradient before the update, which ",
                     Name(options.kind), " never has; use --strategy=materialized"));
  }
  if (options.micro_batches == 0) {
    return absl::InvalidArgumentError("--micro_batches: expected a number from 1, found 0");
  }
  MLP_CHECK_GT(max_batch, 0u);
  const Setup setup = {options, max_batch, model, optimizer};
  switch (options.kind) {
#define MLP_STRATEGY(type, name, purpose) \
  case StrategyKind::k##type:             \
    return std::unique_ptr<Strategy>(new type(setup));
#include "mlp/train/strategies/strategies.inc"
#undef MLP_STRATEGY
  }
  __builtin_unreachable();
}

}  // namespace mlp::train
