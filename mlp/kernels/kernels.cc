#include "mlp/kernels/kernels.h"

#include <deque>

#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"
#include "mlp/kernels/elementwise/kernels.h"
#include "mlp/kernels/gemm/kernels.h"
#include "mlp/kernels/gemv/gemv.h"
#include "mlp/kernels/pairs/pairs.h"
#include "mlp/kernels/panel/panel.h"
#include "mlp/kernels/reduce/kernels.h"
#include "mlp/kernels/softmax/kernels.h"
#include "mlp/kernels/sparse/sparse.h"
#include "mlp/kernels/update/kernels.h"

namespace mlp::kernels {
namespace {

template <class Family>
const Family* Resolve(const Family* (*find)(const Target&), const Target& target) {
  const Target candidates[] = {target, {Backend::kAutovec, target.isa}};
  for (const Target& candidate : candidates) {
    if (const Family* family = find(candidate); family != nullptr) return family;
  }
  MLP_CHECK(!"every family has plain loops");
  __builtin_unreachable();
}

}  // namespace

const KernelSet& KernelsFor(const Target& target) {
  static const std::deque<KernelSet> sets = [] {
    std::deque<KernelSet> all;
    for (const Target& t : SupportedTargets()) {
      all.push_back({t, Resolve(FindElementwiseKernels, t), Resolve(FindGemmKernels, t),
                     FindGemvKernels(t), FindPairKernels(t), FindPanelKernels(t),
                     Resolve(FindReduceKernels, t), Resolve(FindSoftmaxKernels, t),
                     FindSparseKernels(t), FindTileKernels(t), Resolve(FindUpdateKernels, t)});
    }
    return all;
  }();
  for (const KernelSet& set : sets) {
    if (set.target == target) return set;
  }
  MLP_CHECK(!"the target is not one of SupportedTargets()");
  __builtin_unreachable();
}

std::vector<std::pair<std::string, std::string>> Resolved(const KernelSet& kernels) {
  std::vector<std::pair<std::string, std::string>> resolved = {
      {"elementwise", Name(kernels.elementwise->target)},
      {"gemm", Name(kernels.gemm->target)},
      {"reduce", Name(kernels.reduce->target)},
      {"softmax", Name(kernels.softmax->target)},
      {"update", Name(kernels.update->target)}};
  if (kernels.gemv != nullptr) resolved.emplace_back("gemv", Name(kernels.gemv->target));
  const auto add_pairs = [&resolved](const char* family, const PairKernels* pairs) {
    if (pairs == nullptr) return;
    resolved.emplace_back(
        family, absl::StrCat(Name(pairs->target), pairs->unit.empty() ? "" : "+", pairs->unit));
  };
  add_pairs("pairs", kernels.pairs);
  add_pairs("tiles", kernels.tiles);
  if (kernels.panel != nullptr) resolved.emplace_back("panel", Name(kernels.panel->target));
  if (kernels.sparse != nullptr) resolved.emplace_back("sparse", Name(kernels.sparse->target));
  return resolved;
}

}  // namespace mlp::kernels
