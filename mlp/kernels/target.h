// What kernels run on: a backend, and the instruction set that it was compiled for.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/base/isa.h"

namespace mlp::kernels {

enum class Backend {
#define MLP_BACKEND(enumerator, name) enumerator,
#include "mlp/kernels/backends.inc"
#undef MLP_BACKEND
};

absl::string_view Name(Backend backend);

struct Target {
  Backend backend = Backend::kSimd;
  Isa isa = BestIsa();

  bool operator==(const Target&) const = default;
};

// "simd/avx2"; "scalar" has no instruction set of its own.
std::string Name(const Target& target);

// All that this CPU can run, plainest first.
std::vector<Target> SupportedTargets();

// From the values of --backend ("auto" is simd) and --isa ("auto" is the best this CPU has;
// "scalar" is the backend of that name). InvalidArgument lists what can be asked for.
absl::StatusOr<Target> ParseTarget(absl::string_view backend, absl::string_view isa);

// Whether formulas may be approximated: see FastMath in math.h.
enum class MathMode { kExact, kFast };

absl::string_view Name(MathMode math);
absl::StatusOr<MathMode> ParseMathMode(absl::string_view name);

// What the factors of products are: single precision, or sums of so many bfloat16 (8 significant
// bits each, see pairs.h). Sums, weights and the optimizer's state are single precision.
enum class Precision {
#define MLP_PRECISION(enumerator, name, with_bytes, terms) enumerator,
#include "mlp/kernels/precisions.inc"
#undef MLP_PRECISION
};

inline constexpr std::array kPrecisions = {
#define MLP_PRECISION(enumerator, name, with_bytes, terms) Precision::enumerator,
#include "mlp/kernels/precisions.inc"
#undef MLP_PRECISION
};

// Terms of a factor, in products with bytes (which are exact in one) or with others; 0: it is
// single precision.
size_t TermsOf(Precision precision, bool with_bytes);

absl::string_view Name(Precision precision);
absl::StatusOr<Precision> ParsePrecision(absl::string_view name);

}  // namespace mlp::kernels
