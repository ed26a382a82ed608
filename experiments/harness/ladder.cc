#include "experiments/harness/ladder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "mlp/base/isa.h"

namespace mlp::experiments {

std::vector<kernels::Target> AllTargets() {
  using kernels::Backend;
  std::vector<kernels::Target> targets = {
#define MLP_TARGET(backend, isa) kernels::Target{Backend::backend, Isa::isa},
#include "mlp/kernels/eigen_targets.inc"
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  };
  std::stable_sort(
      targets.begin(), targets.end(),
      [](const kernels::Target& a, const kernels::Target& b) { return a.backend < b.backend; });
  return targets;
}

std::string WhyUnsupported(const kernels::Target& target) {
  if (IsSupported(target.isa)) return "";
  return absl::StrCat("this CPU lacks ", Name(target.isa));
}

}  // namespace mlp::experiments
