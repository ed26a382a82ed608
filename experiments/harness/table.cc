#include "experiments/harness/table.h"

#include <algorithm>

#include "mlp/base/check.h"

namespace mlp::experiments {

void Table::Complete() {
  const auto baseline =
      std::find_if(variants_.begin(), variants_.end(),
                   [this](const Variant& variant) { return variant.name == view_.baseline; });
  MLP_CHECK(baseline != variants_.end());
  if (has_again_) {
    Variant again = *baseline;
    again.name += " (again)";
    view_.baseline_again = again.name;
    variants_.insert(baseline + 1, std::move(again));
  }
  view_.variants.clear();
  for (const Variant& variant : variants_) view_.variants.push_back(variant.name);
}

}  // namespace mlp::experiments
