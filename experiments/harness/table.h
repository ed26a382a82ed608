// What an experiment compares: tables of variants.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "experiments/harness/session.h"
#include "mlp/record/record.h"

namespace mlp::experiments {

using Params = std::map<std::string, record::Scalar>;

// Measures: fills in metrics, timings, curve and what was resolved. What it filled in before an
// error is kept.
using Body = std::function<absl::Status(const Session&, record::RunRecord& run)>;

struct Variant {
  std::string name;
  Params params;
  Body body;
  std::string skipped = "";  // Why it cannot run here; "" if it can.
};

// Variants that are measured side by side: one table of the report.
class Table {
 public:
  // The view names the group, if the experiment has several tables, the baseline, and what to show.
  explicit Table(record::View view) : view_(std::move(view)) {}

  void Add(Variant variant) { variants_.push_back(std::move(variant)); }

  // For a table whose baseline run twice with equal seeds cannot differ.
  void OmitBaselineAgain() { has_again_ = false; }

  // Adds the baseline once more under another name (the A/A pair), and the order of the rows to the
  // view. The baseline has to be there.
  void Complete();

  const record::View& view() const { return view_; }
  const std::vector<Variant>& variants() const { return variants_; }

 private:
  record::View view_;
  std::vector<Variant> variants_;
  bool has_again_ = true;
};

}  // namespace mlp::experiments
