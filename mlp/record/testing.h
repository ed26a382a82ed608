// Small records for tests.
#pragma once

#include <string>

#include "mlp/record/record.h"

namespace mlp::record {

// A valid head of `experiment` without id and runs: nothing of the machine that runs the test.
Record TestHead(const std::string& experiment);

// An "ok" run with metrics.test_accuracy and timings.samples_per_s.
RunRecord TestRun(const std::string& variant, int repetition, double samples_per_s);

// TestHead with an id, and three repetitions of the variants "slow" and "fast".
Record TestRecord();

}  // namespace mlp::record
