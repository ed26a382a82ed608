#include "benchmarks/peers/protocol.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mlp/base/status_macros.h"

namespace mlp::peers {
namespace {

constexpr size_t kShownBytes = 200;

std::string Shown(absl::string_view text) {
  return absl::StrCat(text.substr(0, kShownBytes), text.size() > kShownBytes ? " ..." : "");
}

absl::Status Wrong(const std::string& key, absl::string_view expected, const Json& json) {
  const auto found = json.find(key);
  return absl::InvalidArgumentError(
      absl::StrCat("\"", key, "\": expected ", expected, ", found ",
                   found == json.end() ? "nothing" : Shown(record::Dump(*found))));
}

absl::Status Get(const Json& json, const std::string& key, std::string* value) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return Wrong(key, "a string", json);
  *value = found->get<std::string>();
  return absl::OkStatus();
}

absl::Status Get(const Json& json, const std::string& key, bool* value) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_boolean()) return Wrong(key, "true or false", json);
  *value = found->get<bool>();
  return absl::OkStatus();
}

// JSON has no infinities, but a number such as 1e999 reads as one.
absl::Status Get(const Json& json, const std::string& key, double* value) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number() || !std::isfinite(found->get<double>())) {
    return Wrong(key, "a finite number", json);
  }
  *value = found->get<double>();
  return absl::OkStatus();
}

template <class Whole>
absl::Status GetWhole(const Json& json, const std::string& key, Whole least, Whole* value) {
  const auto found = json.find(key);
  // A value made in memory may be of a signed type though it is not negative.
  const bool natural = found != json.end() && found->is_number_integer() &&
                       (found->is_number_unsigned() || found->get<int64_t>() >= 0);
  if (!natural || !std::in_range<Whole>(found->get<uint64_t>()) ||
      found->get<uint64_t>() < static_cast<uint64_t>(least)) {
    return Wrong(key, absl::StrCat("a whole number from ", least), json);
  }
  *value = found->get<Whole>();
  return absl::OkStatus();
}

// A number, or null for none.
absl::Status Get(const Json& json, const std::string& key, std::optional<double>* value) {
  const auto found = json.find(key);
  if (found != json.end() && found->is_null()) {
    value->reset();
    return absl::OkStatus();
  }
  double number = 0;
  if (!Get(json, key, &number).ok()) return Wrong(key, "a finite number or null", json);
  *value = number;
  return absl::OkStatus();
}

// What an answer may leave out keeps its default.
template <class T>
absl::Status GetIfThere(const Json& json, const std::string& key, T* value) {
  return json.contains(key) ? Get(json, key, value) : absl::OkStatus();
}

Json Ok() { return {{"ok", true}}; }

Json OrNull(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

}  // namespace

Json ToJson(const InitRequest& request) {
  return {{"op", "init"},
          {"data", request.data},
          {"model", request.model},
          {"batch", request.batch_size},
          {"threads", request.threads},
          {"seed", request.seed},
          {"learning_rate", request.learning_rate},
          {"order", request.order},
          {"weights", request.weights}};
}

Json ToJson(const InitAnswer& answer) {
  Json json = Ok();
  json["name"] = answer.name;
  json["versions"] = answer.versions;
  const Uses& uses = answer.uses;
  json["uses"] = {
      {"order", uses.order}, {"weights", uses.weights},     {"threads", uses.threads},
      {"ftz", uses.ftz},     {"precision", uses.precision}, {"optimizer", uses.optimizer},
      {"loss", uses.loss},   {"checked", uses.checked},     {"note", uses.note}};
  return json;
}

Json ToJson(const EpochAnswer& answer) {
  Json json = Ok();
  json["ms"] = answer.ms;
  json["loss"] = OrNull(answer.loss);
  json["accuracy"] = OrNull(answer.accuracy);
  json["rss_bytes"] = answer.rss_bytes;
  return json;
}

Json ToJson(const EvaluateAnswer& answer) {
  Json json = Ok();
  json["loss"] = OrNull(answer.loss);
  json["accuracy"] = OrNull(answer.accuracy);
  return json;
}

Json ToJson(const PredictAnswer& answer) {
  Json json = Ok();
  json["us"] = OrNull(answer.us);
  return json;
}

absl::StatusOr<InitRequest> ParseInitRequest(const Json& json) {
  InitRequest request;
  MLP_RETURN_IF_ERROR(Get(json, "data", &request.data));
  MLP_RETURN_IF_ERROR(Get(json, "model", &request.model));
  MLP_RETURN_IF_ERROR(GetWhole(json, "batch", size_t{1}, &request.batch_size));
  MLP_RETURN_IF_ERROR(GetWhole(json, "threads", 1, &request.threads));
  MLP_RETURN_IF_ERROR(GetWhole(json, "seed", uint64_t{0}, &request.seed));
  MLP_RETURN_IF_ERROR(Get(json, "learning_rate", &request.learning_rate));
  MLP_RETURN_IF_ERROR(Get(json, "order", &request.order));
  MLP_RETURN_IF_ERROR(Get(json, "weights", &request.weights));
  return request;
}

absl::StatusOr<InitAnswer> ParseInitAnswer(const Json& json) {
  InitAnswer answer;
  MLP_RETURN_IF_ERROR(Get(json, "name", &answer.name));
  const auto versions = json.find("versions");
  if (versions == json.end() || !versions->is_object()) {
    return Wrong("versions", "an object of strings", json);
  }
  for (const auto& [library, version] : versions->items()) {
    MLP_RETURN_IF_ERROR(Get(*versions, library, &answer.versions[library]));
  }
  const auto uses = json.find("uses");
  if (uses == json.end() || !uses->is_object()) return Wrong("uses", "an object", json);
  MLP_RETURN_IF_ERROR(Get(*uses, "order", &answer.uses.order));
  MLP_RETURN_IF_ERROR(Get(*uses, "weights", &answer.uses.weights));
  MLP_RETURN_IF_ERROR(GetWhole(*uses, "threads", 1, &answer.uses.threads));
  MLP_RETURN_IF_ERROR(Get(*uses, "ftz", &answer.uses.ftz));
  MLP_RETURN_IF_ERROR(GetIfThere(*uses, "precision", &answer.uses.precision));
  MLP_RETURN_IF_ERROR(GetIfThere(*uses, "optimizer", &answer.uses.optimizer));
  MLP_RETURN_IF_ERROR(GetIfThere(*uses, "loss", &answer.uses.loss));
  MLP_RETURN_IF_ERROR(GetIfThere(*uses, "checked", &answer.uses.checked));
  MLP_RETURN_IF_ERROR(GetIfThere(*uses, "note", &answer.uses.note));
  return answer;
}

absl::StatusOr<EpochAnswer> ParseEpochAnswer(const Json& json) {
  EpochAnswer answer;
  MLP_RETURN_IF_ERROR(Get(json, "ms", &answer.ms));
  if (answer.ms <= 0) return Wrong("ms", "a time above 0", json);
  MLP_RETURN_IF_ERROR(Get(json, "loss", &answer.loss));
  MLP_RETURN_IF_ERROR(Get(json, "accuracy", &answer.accuracy));
  MLP_RETURN_IF_ERROR(GetWhole(json, "rss_bytes", uint64_t{0}, &answer.rss_bytes));
  return answer;
}

absl::StatusOr<EvaluateAnswer> ParseEvaluateAnswer(const Json& json) {
  EvaluateAnswer answer;
  MLP_RETURN_IF_ERROR(Get(json, "loss", &answer.loss));
  MLP_RETURN_IF_ERROR(Get(json, "accuracy", &answer.accuracy));
  return answer;
}

absl::StatusOr<PredictAnswer> ParsePredictAnswer(const Json& json) {
  PredictAnswer answer;
  MLP_RETURN_IF_ERROR(Get(json, "us", &answer.us));
  if (answer.us && *answer.us <= 0) return Wrong("us", "a time above 0, or null", json);
  return answer;
}

absl::StatusOr<size_t> ParseCount(const Json& json, const std::string& key) {
  size_t count = 0;
  MLP_RETURN_IF_ERROR(GetWhole(json, key, size_t{1}, &count));
  return count;
}

absl::StatusOr<Json> ParseAnswer(absl::string_view line) {
  absl::StatusOr<Json> json = record::ParseJson(line, "answer");
  if (!json.ok() || !json->is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected an answer, a JSON object on one line, found: ", Shown(line)));
  }
  bool ok = false;
  MLP_RETURN_IF_ERROR(Get(*json, "ok", &ok));
  if (ok) return json;
  std::string error;
  MLP_RETURN_IF_ERROR(Get(*json, "error", &error));
  return absl::UnknownError(error);
}

}  // namespace mlp::peers
