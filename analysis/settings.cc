#include "analysis/settings.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "analysis/value.h"
#include "mlp/record/keys.h"

namespace mlp::analysis {
namespace {

namespace keys = record::keys;

// These settings may differ: how much was done, and what varies by itself.
constexpr std::array<absl::string_view, 7> kFreeSettings = {
    "epochs", "rounds", "seed", "train_samples", "tuning", "turn_epochs", "work"};
constexpr std::array<absl::string_view, 5> kFreeParams = {"checked", "inputs", "note", "purpose",
                                                          "skip_zeros"};

std::set<std::string> KeysOfRuns(const record::Record& record) {
  std::set<std::string> keys;
  for (const record::RunRecord& run : record.runs) {
    for (const auto& [key, value] : run.params) keys.insert(key);
    for (const auto& [key, value] : run.metrics) keys.insert(key);
    for (const auto& [key, values] : run.timings) keys.insert(key);
  }
  return keys;
}

// A setting of keys::kChosen, "" where the record does not say. One that says how many epochs it
// took, and of how many samples not, took all.
std::string Chosen(const record::Record& record, const std::string& key) {
  const std::string text = record.ConfigText(key);
  if (!text.empty() || key != "train_samples" || !record.config.contains("epochs")) return text;
  return record.ConfigText("dataset_train_samples");
}

std::string OrNone(const std::string& text) { return text.empty() ? "none" : text; }

absl::Status Differs(const LoadedRecord& before, const LoadedRecord& after, absl::string_view place,
                     const std::string& was, const std::string& is, absl::string_view remedy) {
  return absl::InvalidArgumentError(absl::StrCat(after.path, ": ", place, ": expected ",
                                                 OrNone(was), ", as in ", before.path, ", found ",
                                                 OrNone(is), "; ", remedy));
}

absl::Status CheckSettings(const LoadedRecord& before, const LoadedRecord& after) {
  const Config old_config = ConfigOf(before.record), new_config = ConfigOf(after.record);
  for (const auto& [key, was] : old_config.settings) {
    const auto is = new_config.settings.find(key);
    if (is == new_config.settings.end() || is->second == was) continue;
    if (std::ranges::find(kFreeSettings, key) != kFreeSettings.end()) continue;
    return Differs(before, after, absl::StrCat(keys::kConfig, ".", key), was, is->second,
                   "measure one of them with the other's settings, or name records that agree");
  }
  return absl::OkStatus();
}

// How much of experiment, dataset and machine agrees, in this order.
int Nearness(const record::Record& a, const record::Record& b) {
  if (a.experiment != b.experiment) return 0;
  return a.ConfigText(keys::kDataset) != b.ConfigText(keys::kDataset) ? 1 : 2;
}

// Why the two are no pair.
absl::Status NoPair(const LoadedRecord& before, const LoadedRecord& after) {
  const record::Record& was = before.record;
  const record::Record& is = after.record;
  switch (Nearness(was, is)) {
    case 0:
      return Differs(before, after, keys::kExperiment, was.experiment, is.experiment,
                     "name records of the same experiment");
    case 1:
      return Differs(before, after, absl::StrCat(keys::kConfig, ".", keys::kDataset),
                     was.ConfigText(keys::kDataset), is.ConfigText(keys::kDataset),
                     "name records of the same dataset, or measure with it");
    default:
      return Differs(before, after, absl::StrCat(keys::kMachine, ".", keys::kId), was.machine.id,
                     is.machine.id, "measure both on one machine");
  }
}

}  // namespace

Config ConfigOf(const record::Record& record) {
  const std::set<std::string> run_keys = KeysOfRuns(record);
  Config config;
  for (const auto& [key, value] : record.config) {
    const std::string text = record::ToText(value);
    const bool defines = std::holds_alternative<std::string>(value) && run_keys.contains(key) &&
                         absl::StrContains(text, ' ');
    (defines ? config.definitions : config.settings)[key] = text;
  }
  return config;
}

absl::Status CheckComparable(std::vector<LoadedRecord> before, std::vector<LoadedRecord> after) {
  const std::vector<Series> all_before = NewestFirst(std::move(before));
  const std::vector<Series> all_after = NewestFirst(std::move(after));
  const LoadedRecord *nearest_before = nullptr, *nearest_after = nullptr;
  bool any_pair = false;
  for (const Series& old_series : all_before) {
    for (const Series& new_series : all_after) {
      const LoadedRecord& was = old_series.newest;
      const LoadedRecord& is = new_series.newest;
      if (SameSetup(was.record, is.record)) {
        any_pair = true;
        const absl::Status same = CheckSettings(was, is);
        if (!same.ok()) return same;
      } else if (nearest_before == nullptr ||
                 Nearness(was.record, is.record) >
                     Nearness(nearest_before->record, nearest_after->record)) {
        nearest_before = &was;
        nearest_after = &is;
      }
    }
  }
  if (any_pair || nearest_before == nullptr) return absl::OkStatus();
  return NoPair(*nearest_before, *nearest_after);
}

bool SameSetup(const record::Record& a, const record::Record& b) {
  return a.experiment == b.experiment && SetupName(a) == SetupName(b);
}

std::string OtherSetting(const Row& before, const Row& after) {
  const std::map<std::string, record::Scalar>& is = after.runs.front().params;
  for (const auto& [key, was] : before.runs.front().params) {
    const auto found = is.find(key);
    if (found == is.end() || found->second == was) continue;
    if (std::ranges::find(kFreeParams, key) != kFreeParams.end()) continue;
    return absl::StrCat(key, " ", record::ToText(was), ", now ", record::ToText(found->second));
  }
  return "";
}

std::string OtherWork(const record::Record& before, const record::Record& after,
                      absl::string_view path) {
  const absl::string_view key_of_value = KeyOf(path);
  const bool is_whole = key_of_value == "seconds" || key_of_value == keys::kRunSeconds ||
                        absl::StartsWith(key_of_value, "time_to_");
  const bool is_epoch = key_of_value == "epoch_s";
  if (IsSpeed(path) && !is_whole && !is_epoch) return "";
  for (const char* key : keys::kChosen) {
    const std::string was = Chosen(before, key), is = Chosen(after, key);
    // The chosen part of the work lengthens what is timed alone; epochs and samples say the rest.
    const bool is_free =
        absl::string_view(key) == "work" || (is_epoch && absl::string_view(key) == "epochs");
    if (is_free || was.empty() || is.empty() || was == is) continue;
    return absl::StrCat(key, " ", was, ", now ", is);
  }
  return "";
}

}  // namespace mlp::analysis
