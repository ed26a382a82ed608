// The record of one run of an experiment, in memory. In a file it is the JSON that
// record.schema.json describes; keys.h names its keys.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/record/json.h"

namespace mlp::record {

inline constexpr int kSchemaVersion = 1;

// Files beyond this are refused before they are read.
inline constexpr size_t kMaxFileBytes = size_t{256} << 20;

using Scalar = std::variant<bool, double, std::string>;

struct Gpu {
  std::string name;
  std::string compute_capability;  // "9.0"
  uint64_t memory_bytes = 0;
  std::string driver;   // The newest CUDA version it knows: "12.4"
  std::string runtime;  // The version of the CUDA runtime: "12.4"
  bool operator==(const Gpu&) const = default;
};

struct Machine {
  std::string id;
  std::string cpu;
  int cores = 1;  // That this process may use.
  std::vector<std::string> isa;
  std::map<std::string, uint64_t> caches;  // "L1d_bytes", "L1i_bytes", "L2_bytes", ...: one cache.
  uint64_t memory_bytes = 0;
  std::optional<Gpu> gpu;
  std::optional<std::string> governor;
  std::optional<std::string> cgroup_cpu_max;
  std::optional<double> load_average;
  std::optional<double> steal_pct;
  bool operator==(const Machine&) const = default;
};

struct Build {
  std::string compiler;
  std::string mode;
  std::string copts;
  std::string math;  // "" where variants differ in it.
  bool operator==(const Build&) const = default;
};

struct Plot {
  std::string kind = "";    // "bars", "lines", "curves", "scatter", "roofline"
  std::string title = "";   // "": made from the axes.
  std::string x = "";       // Path of a value; what "" means depends on the kind.
  std::string y = "";       // Likewise.
  std::string series = "";  // "params.<key>"; "": one series of all variants.
  bool log_x = false;
  bool log_y = false;
  std::optional<double> mark = std::nullopt;  // A value of y to aim at: a line is drawn there.
  bool operator==(const Plot&) const = default;
};

// A sentence that the report makes of a table's numbers, in answer to the question.
struct Claim {
  std::string kind = "";  // "best", "spread", "within", "reach"
  std::string path = "";  // Of the value it is about.
  double bound = 0;       // Of "within" and "reach".
  bool operator==(const Claim&) const = default;
};

// How one table and its plots show the runs. What is empty the analysis chooses.
struct View {
  std::string name = "";  // Of a group: the value of params.group. "" for the record as a whole.
  std::string title = "";
  std::vector<std::string> variants = {};  // In the order of the rows.
  std::string baseline = "";
  std::string baseline_again = "";  // The A/A pair: the baseline once more under another name.
  std::string primary = "";         // Path of the value that variants are compared by.
  std::optional<bool> higher_is_better = std::nullopt;
  std::vector<std::string> columns = {};  // Paths of further values.
  std::vector<Plot> plots = {};
  std::vector<Claim> claims = {};  // Without any: who is better or worse than the baseline.
  bool operator==(const View&) const = default;
};

struct Presentation {
  View all;
  std::vector<View> groups;

  // The group's view, what it leaves out taken from `all`.
  View ForGroup(absl::string_view name) const;
  bool operator==(const Presentation&) const = default;
};

enum class RunStatus { kOk, kFailed, kSkipped };

struct RunRecord {
  std::string variant;
  std::map<std::string, Scalar> params;
  std::map<std::string, std::string> resolved;  // Op -> implementation that ran.
  uint64_t seed = 0;                            // Below 2^63.
  int repetition = 0;
  RunStatus status = RunStatus::kOk;
  std::string message;
  std::map<std::string, double> metrics;  // NaN and infinities are allowed.
  // One number or several. Several of which one is not finite are kept as that one alone.
  std::map<std::string, std::vector<double>> timings;
  std::vector<std::map<std::string, double>> curve;  // One an epoch, each with "epoch".

  // What names a run within its record.
  std::tuple<std::string, std::string, int, uint64_t> Key() const {
    return {Group(), variant, repetition, seed};
  }
  // params.group if it is a string, else "".
  std::string Group() const;
};

struct Record {
  std::string experiment;
  std::string question;
  std::string id;
  std::string started_utc;  // "2026-01-31T12:00:00Z"
  std::string commit = "unknown";
  bool dirty = false;
  Machine machine;
  Build build;
  std::map<std::string, Scalar> config;
  std::vector<std::string> notes;
  Presentation presentation;
  std::vector<RunRecord> runs;

  // config[key] as text, "" if it is not there.
  std::string ConfigText(const std::string& key) const;
};

// Whether the record (or partial file) called `a` is older than `b`: by time, then by the number
// that keeps ids of one second apart.
bool IsOlder(absl::string_view a, absl::string_view b);

// "64", "0.5", "true", "text".
std::string ToText(const Scalar& scalar);

absl::string_view Name(RunStatus status);

Json ToJson(const Record& record);
Json ToJson(const RunRecord& run);

// Checks against the schema first. `source` names the file (and place) in errors.
absl::StatusOr<Record> RecordFromJson(const Json& json, absl::string_view source);

// Reads, checks and converts a file.
absl::StatusOr<Record> ReadRecord(const std::string& path);

}  // namespace mlp::record
