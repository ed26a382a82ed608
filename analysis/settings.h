// What records say that they did, and whether two did the same: only then are their values
// compared.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "analysis/aggregate.h"
#include "analysis/load.h"
#include "mlp/record/record.h"

namespace mlp::analysis {

// config is of two parts, each by key. A text of several words under the key of a value of the runs
// defines that value; the rest are settings.
struct Config {
  std::map<std::string, std::string> settings;
  std::map<std::string, std::string> definitions;
};
Config ConfigOf(const record::Record& record);

// Whether values of the newest records of each experiment, dataset and machine may be compared: the
// settings that both of a pair name are equal, but for those that tell how much was done (work,
// epochs, train_samples, rounds, turn_epochs: OtherWork), the seed, and the tuning, which the
// program chooses by itself. InvalidArgument names the setting and both values; where there is no
// pair, what is the nearest to one.
absl::Status CheckComparable(std::vector<LoadedRecord> before, std::vector<LoadedRecord> after);

// Whether they are of one experiment, dataset and machine.
bool SameSetup(const record::Record& a, const record::Record& b);

// "threads 2, now 1": what the params of one variant's runs say otherwise than before, "" if
// nothing. What the program chooses without changing a result (skip_zeros, inputs) and remarks
// (note, purpose, checked) may differ.
std::string OtherSetting(const Row& before, const Row& after);

// "epochs 5, now 2": what says that more was done in one of the records, as far as it matters to
// the value at `path`; "" if nothing. Rates and times of a step or a call are of any amount of
// work, the time of an epoch of any number of them.
std::string OtherWork(const record::Record& before, const record::Record& after,
                      absl::string_view path);

}  // namespace mlp::analysis
