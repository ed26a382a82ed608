// Invented records, for tests: no number in them was measured.
#pragma once

#include <string>
#include <vector>

#include "mlp/record/record.h"

namespace mlp::analysis {

// "speed": four variants, A/A pair, one that fails, bars and scatter.
record::Record SpeedRecord(const std::string& dataset, int repetitions);

// "scaling": two groups, lines over threads for two backends, and learning curves.
record::Record ScalingRecord(int repetitions);

// Through the writer; the path of the record's file.
std::string Write(const record::Record& record, const std::string& results_dir);

}  // namespace mlp::analysis
