#include "mlp/kernels/target.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "mlp/base/names.h"
#include "mlp/base/status_macros.h"

namespace mlp::kernels {
namespace {

constexpr Target kAllTargets[] = {
#define MLP_TARGET(backend, isa) Target{Backend::backend, Isa::isa},
#include "mlp/kernels/eigen_targets.inc"
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
};

constexpr std::array kBackends = {
#define MLP_BACKEND(enumerator, name) Backend::enumerator,
#include "mlp/kernels/backends.inc"
#undef MLP_BACKEND
};

absl::StatusOr<Backend> ParseBackend(absl::string_view name) {
  if (name == "auto") return Backend::kSimd;
  return ParseName("--backend", kBackends, name, "auto");
}

absl::StatusOr<Isa> ParseIsa(absl::string_view name) {
  if (name == "auto") return BestIsa();
  for (const Isa isa : kIsas) {
    if (Name(isa) != name) continue;
    if (IsSupported(isa)) return isa;
    return absl::InvalidArgumentError(
        absl::StrCat("--isa: this CPU lacks ", name, "; it has ", NamesOf(SupportedIsas())));
  }
  return NoSuchName("--isa", NamesOf(kIsas), name, "auto, scalar");
}

}  // namespace

absl::string_view Name(Backend backend) {
  switch (backend) {
#define MLP_BACKEND(enumerator, name) \
  case Backend::enumerator:           \
    return name;
#include "mlp/kernels/backends.inc"
#undef MLP_BACKEND
  }
  __builtin_unreachable();
}

std::string Name(const Target& target) {
  if (target.backend == Backend::kScalar) return std::string(Name(target.backend));
  return absl::StrCat(Name(target.backend), "/", Name(target.isa));
}

std::vector<Target> SupportedTargets() {
  std::vector<Target> targets;
  std::copy_if(std::begin(kAllTargets), std::end(kAllTargets), std::back_inserter(targets),
               [](const Target& target) { return IsSupported(target.isa); });
  return targets;
}

absl::StatusOr<Target> ParseTarget(absl::string_view backend_name, absl::string_view isa_name) {
  MLP_ASSIGN_OR_RETURN(const Backend backend, ParseBackend(backend_name));
  const bool scalar_isa = isa_name == "scalar";
  if (scalar_isa && backend != Backend::kScalar && backend_name != "auto") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--isa=scalar is the backend scalar, but --backend is ", backend_name, "; drop one"));
  }
  if (scalar_isa || (backend == Backend::kScalar && isa_name == "auto")) {
    return Target{Backend::kScalar, Isa::kSse2};
  }
  MLP_ASSIGN_OR_RETURN(const Isa isa, ParseIsa(isa_name));
  if (backend == Backend::kScalar) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--backend=scalar uses no vector instructions, but --isa is ", isa_name, "; drop one"));
  }
  return Target{backend, isa};
}

absl::string_view Name(MathMode math) { return math == MathMode::kFast ? "fast" : "exact"; }

absl::StatusOr<MathMode> ParseMathMode(absl::string_view name) {
  for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
    if (Name(math) == name) return math;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--math: expected fast or exact, found \"", name, "\""));
}

size_t TermsOf(Precision precision, bool with_bytes) {
  switch (precision) {
#define MLP_PRECISION(enumerator, name, bytes_terms, terms) \
  case Precision::enumerator:                               \
    return with_bytes ? bytes_terms : terms;
#include "mlp/kernels/precisions.inc"
#undef MLP_PRECISION
  }
  __builtin_unreachable();
}

absl::string_view Name(Precision precision) {
  switch (precision) {
#define MLP_PRECISION(enumerator, name, with_bytes, terms) \
  case Precision::enumerator:                              \
    return name;
#include "mlp/kernels/precisions.inc"
#undef MLP_PRECISION
  }
  __builtin_unreachable();
}

absl::StatusOr<Precision> ParsePrecision(absl::string_view name) {
  return ParseName("--precision", kPrecisions, name);
}

}  // namespace mlp::kernels
