// What the comparison says on standard output.
#pragma once

#include <string>

#include "mlp/record/record.h"

namespace mlp::peers {

// One block a batch size: times, how many times as long as each of ours, latency, memory, accuracy,
// versions; then who has no place in it and why. `ours` are the names to compare with, the baseline
// first.
std::string SummaryText(const record::Record& record, const std::vector<std::string>& ours);

}  // namespace mlp::peers
