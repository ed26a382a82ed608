// What an experiment says on stdout when it is done. The report says more.
#pragma once

#include <string>

#include "experiments/harness/rounds.h"
#include "mlp/record/record.h"

namespace mlp::experiments {

// One block a table: each variant with the primary value over its runs, and the medians of others.
std::string SummaryText(const record::Record& record, const std::string& path,
                        const Outcome& outcome);

// {"experiment": ..., "record": path, "rounds": n, "runs": n, "failed": [...], "skipped": n}
std::string SummaryJson(const record::Record& record, const std::string& path,
                        const Outcome& outcome);

}  // namespace mlp::experiments
