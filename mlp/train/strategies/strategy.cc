#include "mlp/train/strategies/strategy.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "mlp/base/names.h"
#include "mlp/data/dataset.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/pairs/pairs.h"
#include "mlp/kernels/panel/panel.h"
#include "mlp/train/strategies/accumulate.h"
#include "mlp/train/strategies/atomic.h"
#include "mlp/train/strategies/fused.h"
#include "mlp/train/strategies/hogwild.h"
#include "mlp/train/strategies/materialized.h"
#include "mlp/train/strategies/per_sample.h"
#include "mlp/train/strategies/tensor_parallel.h"
#include "mlp/train/strategies/thread_private.h"
#include "mlp/train/strategies/tiny.h"

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
  return ParseName("--strategy", kStrategyKinds, name, "auto");
}

bool IsDeterministic(StrategyKind kind) {
  return kind != StrategyKind::kAtomic && kind != StrategyKind::kHogwild;
}

bool CanTrain(StrategyKind kind, const kernels::Target& target, const Job& job) {
  switch (kind) {
    case StrategyKind::kTensorParallel:
      return kernels::FindPanelKernels(target) != nullptr && job.has_pixels;
    case StrategyKind::kTiny:
      return engine::IsTiny(job.spec, target);
    default:
      return true;
  }
}

StrategyKind DefaultStrategy(const kernels::Target& target, const Job& job) {
  // Larger batches fill the vectors of other engines, too.
  constexpr size_t kMaxTinyBatch = 32;
  const bool small = job.batch_size <= kMaxTinyBatch;
  if (small && CanTrain(StrategyKind::kTiny, target, job)) return StrategyKind::kTiny;
  return CanTrain(StrategyKind::kTensorParallel, target, job) ? StrategyKind::kTensorParallel
                                                              : StrategyKind::kFused;
}

size_t DefaultShards(StrategyKind kind, const model::ModelSpec& spec, int threads) {
  switch (kind) {
    case StrategyKind::kTensorParallel:
      return engine::DefaultShards(spec);
    case StrategyKind::kThreadPrivate:
    case StrategyKind::kAtomic:
    case StrategyKind::kHogwild:
      return static_cast<size_t>(threads);
    default:
      return 0;
  }
}

bool HoldsWholeGradient(StrategyKind kind) {
  return kind != StrategyKind::kFused && kind != StrategyKind::kTensorParallel &&
         kind != StrategyKind::kHogwild && kind != StrategyKind::kPerSample;
}

std::vector<std::pair<std::string, std::string>> ResolvedKernels(const StrategyOptions& options) {
  auto resolved = kernels::Resolved(kernels::KernelsFor(options.target));
  if (options.kind == StrategyKind::kTiny) {
    std::erase_if(resolved, [](const auto& entry) { return entry.first != "update"; });
    resolved.emplace_back("tiny", kernels::Name(kernels::FindTinyKernels(options.target)->target));
    return resolved;
  }
  // Products are either of whole matrices or of panels.
  std::set<std::string> others = {"gemv", "pairs", "panel", "sparse", "tiles"};
  if (options.kind == StrategyKind::kTensorParallel) {
    others = {"gemm", "gemv"};
    const bool has_words = options.precision != kernels::Precision::kFp32;
    if (!has_words || UsesAmx(options)) others.insert("pairs");
    if (!has_words || !UsesAmx(options)) others.insert("tiles");
    if (kernels::TermsOf(options.precision, /*with_bytes=*/false) > 0) others.insert("panel");
    if (!options.skip_zeros.value_or(false)) others.insert("sparse");
  }
  std::erase_if(resolved, [&](const auto& entry) { return others.contains(entry.first); });
  return resolved;
}

bool UsesAmx(const StrategyOptions& options) {
  return options.amx.value_or(options.precision != kernels::Precision::kFp32 &&
                              kernels::FindTileKernels(options.target) != nullptr);
}

StrategyOptions Resolve(const StrategyOptions& options, const Job& job) {
  StrategyOptions resolved = options;
  if (!options.kind) resolved.kind = DefaultStrategy(options.target, job);
  if (options.shards == 0) {
    resolved.shards = DefaultShards(*resolved.kind, job.spec, options.threads);
  }
  resolved.amx = UsesAmx(options);
  return resolved;
}

bool ReadsPacked(const StrategyOptions& resolved, const optim::OptimizerOptions& optimizer) {
  // With weight decay, weights of columns that packed pixels do not have change, too.
  return resolved.kind == StrategyKind::kTensorParallel && optimizer.weight_decay == 0;
}

double PackBelow(const StrategyOptions& resolved, const optim::OptimizerOptions& optimizer) {
  if (!ReadsPacked(resolved, optimizer)) return 0;
  const bool may_skip =
      resolved.skip_zeros.value_or(resolved.precision == kernels::Precision::kFp32);
  // Skipping is faster on packed pixels, however much memory they take.
  return may_skip ? std::max(data::kPackBelow, resolved.skip_below) : data::kPackBelow;
}

size_t UsedInputs(const StrategyOptions& options, const model::ModelSpec& spec) {
  return options.columns.empty() ? spec.inputs : options.columns.size();
}

int BusyThreads(const StrategyOptions& resolved) {
  switch (resolved.kind.value()) {
    case StrategyKind::kTiny:
    case StrategyKind::kPerSample:
      return 1;
    case StrategyKind::kTensorParallel:
    case StrategyKind::kThreadPrivate:
    case StrategyKind::kAtomic:
    case StrategyKind::kHogwild:
      return static_cast<int>(std::min(static_cast<size_t>(resolved.threads), resolved.shards));
    case StrategyKind::kMaterialized:
    case StrategyKind::kFused:
    case StrategyKind::kAccumulate:
      return resolved.threads;
  }
  __builtin_unreachable();
}

absl::StatusOr<std::unique_ptr<Strategy>> MakeStrategy(const StrategyOptions& options,
                                                       size_t max_batch, model::Model& model,
                                                       optim::Optimizer& optimizer) {
  if (options.threads < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--threads: expected a number from 1, found ", options.threads,
                     "; EffectiveThreads(0) says how many there are"));
  }
  const Job job = {model.spec(), max_batch};
  const StrategyOptions resolved = Resolve(options, job);
  const StrategyKind kind = *resolved.kind;
  // Squares of a smaller one are 0.
  constexpr double kLeastNorm = 1e-18;
  if (!(options.clip_norm == 0 || options.clip_norm >= kLeastNorm)) {
    return absl::InvalidArgumentError(absl::StrCat("--clip_norm: expected 0 or a number from ",
                                                   kLeastNorm, ", found ", options.clip_norm));
  }
  if (options.clip_norm > 0 && !HoldsWholeGradient(kind)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--clip_norm: needs the whole gradient before the update, which ", Name(kind),
                     " never has; use --strategy=materialized"));
  }
  if (options.micro_batches == 0) {
    return absl::InvalidArgumentError("--micro_batches: expected a number from 1, found 0");
  }
  if (!CanTrain(kind, options.target, job)) {
    const std::string needs =
        kind == StrategyKind::kTiny
            ? absl::StrCat(" needs --backend=simd and at most ", engine::kMaxTinyParameters,
                           " parameters, found ", kernels::Name(options.target), " and ",
                           model.spec().parameter_count())
            : absl::StrCat(" needs --backend=simd, found ", kernels::Name(options.target));
    return absl::InvalidArgumentError(
        absl::StrCat("--strategy: ", Name(kind), needs, "; use --strategy=fused"));
  }
  if (options.precision != kernels::Precision::kFp32) {
    const std::string found = absl::StrCat("--precision: ", kernels::Name(options.precision));
    if (kind != StrategyKind::kTensorParallel) {
      return absl::InvalidArgumentError(
          absl::StrCat(found, " needs --strategy=tensor_parallel, found ", Name(kind)));
    }
    if (options.skip_zeros.value_or(false) &&
        kernels::TermsOf(options.precision, /*with_bytes=*/false) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(found,
                       " is a way to multiply all pixels; leave out --skip_zeros=yes, or use "
                       "--precision=fp32, bf16x3 or bf16"));
    }
  }
  if (kind != StrategyKind::kTensorParallel && options.skip_zeros.value_or(false)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--skip_zeros=yes: needs --strategy=tensor_parallel, found ", Name(kind)));
  }
  if (*resolved.amx) {
    if (options.precision == kernels::Precision::kFp32) {
      return absl::InvalidArgumentError(
          "--amx=yes: needs products of bfloat16, found --precision=fp32; use "
          "--precision=split3, bf16x3 or bf16, or leave out --amx");
    }
    if (kernels::FindTileKernels(options.target) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--amx=yes: needs simd/avx512 on a CPU with AMX_BF16 whose operating system lends its "
          "tiles, found ",
          kernels::Name(options.target), HasAmxBf16() ? "" : " on a CPU without",
          "; leave out --amx"));
    }
  }
  MLP_CHECK_GT(max_batch, 0u);
  const Setup setup = {resolved, max_batch, model, optimizer};
  switch (kind) {
#define MLP_STRATEGY(type, name, purpose) \
  case StrategyKind::k##type:             \
    return std::unique_ptr<Strategy>(new type(setup));
#include "mlp/train/strategies/strategies.inc"
#undef MLP_STRATEGY
  }
  __builtin_unreachable();
}

}  // namespace mlp::train
