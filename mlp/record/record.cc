#include "mlp/record/record.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/atomic_file.h"
#include "mlp/record/header.h"
#include "mlp/record/keys.h"
#include "mlp/record/validate.h"

namespace mlp::record {
namespace {

Json ScalarToJson(const Scalar& scalar) {
  if (const double* number = std::get_if<double>(&scalar)) {
    // The schema has no place for a reason here; a parameter that is not finite is its name.
    if (!std::isfinite(*number)) return absl::StrCat(*number);
    return Number(*number);
  }
  if (const bool* flag = std::get_if<bool>(&scalar)) return *flag;
  return std::get<std::string>(scalar);
}

Scalar ScalarFromJson(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number()) return json.get<double>();
  return json.get<std::string>();
}

Json ScalarsToJson(const std::map<std::string, Scalar>& scalars) {
  Json json = Json::object();
  for (const auto& [key, value] : scalars) json[key] = ScalarToJson(value);
  return json;
}

std::map<std::string, Scalar> ScalarsFromJson(const Json& json) {
  std::map<std::string, Scalar> scalars;
  for (const auto& [key, value] : json.items()) scalars[key] = ScalarFromJson(value);
  return scalars;
}

// json[key] = value, or null and the reason.
void PutNumber(Json& json, const std::string& key, double value) {
  if (std::isfinite(value)) {
    json[key] = Number(value);
    return;
  }
  json[key] = nullptr;
  json[key + keys::kReasonSuffix] = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double GetNumber(const Json& json, const std::string& key) {
  const Json& value = json[key];
  if (value.is_number()) return value.get<double>();
  const auto reason = json[key + keys::kReasonSuffix].get<std::string>();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (reason == "nan") return std::numeric_limits<double>::quiet_NaN();
  return reason == "inf" ? kInfinity : -kInfinity;
}

Json NumbersToJson(const std::map<std::string, double>& numbers) {
  Json json = Json::object();
  for (const auto& [key, value] : numbers) PutNumber(json, key, value);
  return json;
}

std::map<std::string, double> NumbersFromJson(const Json& json) {
  std::map<std::string, double> numbers;
  for (const auto& [key, value] : json.items()) {
    if (!absl::EndsWith(key, keys::kReasonSuffix)) numbers[key] = GetNumber(json, key);
  }
  return numbers;
}

Json TimingsToJson(const std::map<std::string, std::vector<double>>& timings) {
  Json json = Json::object();
  for (const auto& [key, values] : timings) {
    const auto bad = std::find_if(values.begin(), values.end(),
                                  [](double value) { return !std::isfinite(value); });
    if (bad != values.end()) {
      PutNumber(json, key, *bad);
    } else if (values.size() == 1) {
      PutNumber(json, key, values[0]);
    } else {
      Json list = Json::array();
      for (const double value : values) list.push_back(Number(value));
      json[key] = std::move(list);
    }
  }
  return json;
}

std::map<std::string, std::vector<double>> TimingsFromJson(const Json& json) {
  std::map<std::string, std::vector<double>> timings;
  for (const auto& [key, value] : json.items()) {
    if (value.is_array()) {
      timings[key] = value.get<std::vector<double>>();
    } else if (!absl::EndsWith(key, keys::kReasonSuffix)) {
      timings[key] = {GetNumber(json, key)};
    }
  }
  return timings;
}

RunStatus StatusFromName(const std::string& name) {
  if (name == Name(RunStatus::kFailed)) return RunStatus::kFailed;
  if (name == Name(RunStatus::kSkipped)) return RunStatus::kSkipped;
  return RunStatus::kOk;
}

// The JSON has passed the schema.
RunRecord RunFromJson(const Json& json) {
  RunRecord run;
  run.variant = json[keys::kVariant].get<std::string>();
  run.params = ScalarsFromJson(json[keys::kParams]);
  run.resolved = json[keys::kResolved].get<std::map<std::string, std::string>>();
  run.seed = json[keys::kSeed].get<uint64_t>();
  run.repetition = json[keys::kRepetition].get<int>();
  run.status = StatusFromName(json[keys::kStatus].get<std::string>());
  run.message = json.value(keys::kMessage, "");
  run.metrics = NumbersFromJson(json[keys::kMetrics]);
  run.timings = TimingsFromJson(json[keys::kTimings]);
  if (const auto curve = json.find(keys::kCurve); curve != json.end()) {
    for (const Json& epoch : *curve) run.curve.push_back(NumbersFromJson(epoch));
  }
  return run;
}

}  // namespace

absl::string_view Name(RunStatus status) {
  switch (status) {
    case RunStatus::kOk:
      return "ok";
    case RunStatus::kFailed:
      return "failed";
    case RunStatus::kSkipped:
      return "skipped";
  }
  MLP_CHECK(false);
}

std::string ToText(const Scalar& scalar) {
  const Json json = ScalarToJson(scalar);
  return json.is_string() ? json.get<std::string>() : Dump(json);
}

std::string RunRecord::Group() const {
  const auto group = params.find(keys::kGroupParam);
  const auto* name = group == params.end() ? nullptr : std::get_if<std::string>(&group->second);
  return name == nullptr ? "" : *name;
}

std::string Record::ConfigText(const std::string& key) const {
  const auto value = config.find(key);
  return value == config.end() ? "" : ToText(value->second);
}

bool IsOlder(absl::string_view a, absl::string_view b) {
  constexpr size_t kTimeBytes = 16;  // "20260131T120000Z"
  const auto key = [](absl::string_view id) {
    return std::make_tuple(id.substr(0, kTimeBytes), id.size(), id);
  };
  return key(a) < key(b);
}

Json ToJson(const RunRecord& run) {
  Json json = Json::object();
  json[keys::kVariant] = run.variant;
  json[keys::kParams] = ScalarsToJson(run.params);
  json[keys::kResolved] = Json(run.resolved);
  json[keys::kSeed] = run.seed;
  json[keys::kRepetition] = run.repetition;
  json[keys::kStatus] = std::string(Name(run.status));
  if (!run.message.empty()) json[keys::kMessage] = run.message;
  json[keys::kMetrics] = NumbersToJson(run.metrics);
  json[keys::kTimings] = TimingsToJson(run.timings);
  if (!run.curve.empty()) {
    Json curve = Json::array();
    for (const auto& epoch : run.curve) curve.push_back(NumbersToJson(epoch));
    json[keys::kCurve] = std::move(curve);
  }
  return json;
}

Json ToJson(const Record& record) {
  Json json = Json::object();
  json[keys::kSchemaVersion] = kSchemaVersion;
  json[keys::kExperiment] = record.experiment;
  json[keys::kQuestion] = record.question;
  json[keys::kId] = record.id;
  json[keys::kStartedUtc] = record.started_utc;
  json[keys::kCommit] = record.commit;
  json[keys::kDirty] = record.dirty;
  json[keys::kMachine] = ToJson(record.machine);
  json[keys::kBuild] = ToJson(record.build);
  json[keys::kConfig] = ScalarsToJson(record.config);
  if (!record.notes.empty()) json[keys::kNotes] = record.notes;
  if (record.presentation != Presentation()) {
    json[keys::kPresentation] = ToJson(record.presentation);
  }
  json[keys::kRuns] = Json::array();
  for (const RunRecord& run : record.runs) json[keys::kRuns].push_back(ToJson(run));
  return json;
}

absl::StatusOr<Record> RecordFromJson(const Json& json, absl::string_view source) {
  MLP_RETURN_IF_ERROR(Validate(json, source));
  Record record;
  record.experiment = json[keys::kExperiment].get<std::string>();
  record.question = json[keys::kQuestion].get<std::string>();
  record.id = json[keys::kId].get<std::string>();
  record.started_utc = json[keys::kStartedUtc].get<std::string>();
  record.commit = json[keys::kCommit].get<std::string>();
  record.dirty = json[keys::kDirty].get<bool>();
  record.machine = MachineFromJson(json[keys::kMachine]);
  record.build = BuildFromJson(json[keys::kBuild]);
  record.config = ScalarsFromJson(json[keys::kConfig]);
  if (const auto notes = json.find(keys::kNotes); notes != json.end()) {
    record.notes = notes->get<std::vector<std::string>>();
  }
  if (const auto view = json.find(keys::kPresentation); view != json.end()) {
    record.presentation = PresentationFromJson(*view);
  }
  for (const Json& run : json[keys::kRuns]) record.runs.push_back(RunFromJson(run));
  return record;
}

absl::StatusOr<Record> ReadRecord(const std::string& path) {
  MLP_ASSIGN_OR_RETURN(const std::string text, io::ReadFile(path, kMaxFileBytes));
  MLP_ASSIGN_OR_RETURN(const Json json, ParseJson(text, path));
  return RecordFromJson(json, path);
}

}  // namespace mlp::record
