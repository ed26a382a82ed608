#include "mlp/record/validate.h"

#include <exception>
#include <memory>
#include <set>
#include <tuple>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "mlp/base/check.h"
#include "mlp/record/keys.h"
#include "mlp/record/record.h"

namespace mlp::record {
namespace {

// The schema's patterns go through std::regex, which recurses once a character: these bounds keep
// its stack small whatever a file holds.
constexpr size_t kMaxKeyBytes = 256;
constexpr size_t kMaxStringBytes = 4096;
constexpr int kMaxDepth = 16;

constexpr char kSchemaText[] =
#include "mlp/record/record.schema.inc"
    ;

const nlohmann::json& SchemaJson() {
  static const auto* const json = new nlohmann::json(nlohmann::json::parse(kSchemaText));
  return *json;
}

const valijson::Schema& Schema() {
  static const valijson::Schema* const schema = [] {
    auto* parsed = new valijson::Schema;
    valijson::SchemaParser(valijson::SchemaParser::kDraft7)
        .populateSchema(valijson::adapters::NlohmannJsonAdapter(SchemaJson()), *parsed);
    return parsed;
  }();
  return *schema;
}

std::string PointerToken(absl::string_view key) {
  return absl::StrReplaceAll(key, {{"~", "~0"}, {"/", "~1"}});
}

std::string Shown(const Json* json) {
  if (json == nullptr) return "nothing";
  if (json->is_object()) return "an object";
  if (json->is_array()) return "a list";
  const std::string text = Dump(*json);
  constexpr size_t kMostShown = 60;
  return text.size() <= kMostShown ? text : absl::StrCat(text.substr(0, kMostShown), "...");
}

// Follows $ref, which this schema uses for its definitions alone.
const nlohmann::json& Resolve(const nlohmann::json& schema) {
  const auto ref = schema.find("$ref");
  if (ref == schema.end()) return schema;
  return SchemaJson().at(nlohmann::json::json_pointer(ref->get<std::string>().substr(1)));
}

// The part of the schema that governs a member of what `schema` governs; null if there is none.
const nlohmann::json* Below(const nlohmann::json* schema, const std::string& token, bool is_item) {
  if (schema == nullptr) return nullptr;
  const nlohmann::json& resolved = Resolve(*schema);
  if (is_item) return resolved.contains("items") ? &resolved["items"] : nullptr;
  if (resolved.contains("properties") && resolved["properties"].contains(token)) {
    return &resolved["properties"][token];
  }
  if (resolved.contains("patternProperties") && absl::EndsWith(token, keys::kReasonSuffix)) {
    return &resolved["patternProperties"].front();
  }
  const auto rest = resolved.find("additionalProperties");
  return rest != resolved.end() && rest->is_object() ? &*rest : nullptr;
}

std::string Described(const nlohmann::json* schema) {
  if (schema == nullptr) return "";
  const nlohmann::json& resolved = Resolve(*schema);
  std::vector<std::string> parts;
  if (resolved.contains("description")) parts.push_back(resolved["description"]);
  if (resolved.contains("const")) parts.push_back(resolved["const"].dump());
  if (resolved.contains("enum")) {
    parts.push_back(absl::StrCat(
        "one of ", absl::StrJoin(resolved["enum"].get<std::vector<std::string>>(), ", ")));
  }
  if (resolved.contains("type")) {
    const nlohmann::json& type = resolved["type"];
    parts.push_back(type.is_string() ? type.get<std::string>()
                                     : absl::StrJoin(type.get<std::vector<std::string>>(), " or "));
  }
  if (resolved.contains("minimum")) {
    parts.push_back(absl::StrCat("at least ", resolved["minimum"].dump()));
  }
  if (parts.size() < 2) return absl::StrJoin(parts, "");
  return absl::StrCat(parts[0], " (", absl::StrJoin(parts.begin() + 1, parts.end(), ", "), ")");
}

// One error of valijson in this project's words. Its context is "<root>", "[key]", "[3]", ...
std::string InWords(const valijson::ValidationResults::Error& error, const Json& record) {
  std::string pointer;
  const Json* found = &record;
  const nlohmann::json* schema = &SchemaJson();
  for (size_t i = 1; i < error.context.size(); ++i) {
    const std::string token = error.context[i].substr(1, error.context[i].size() - 2);
    absl::StrAppend(&pointer, "/", PointerToken(token));
    const bool is_item = found != nullptr && found->is_array();
    schema = Below(schema, token, is_item);
    if (is_item) {
      const size_t index = std::stoul(token);
      found = index < found->size() ? &(*found)[index] : nullptr;
    } else if (found != nullptr) {
      const auto member = found->find(token);
      found = member != found->end() ? &*member : nullptr;
    }
  }
  if (pointer.empty()) pointer = "/";
  absl::string_view description = error.description;
  if (absl::ConsumePrefix(&description, "Missing required property ")) {
    return absl::StrCat(pointer, ": expected a member ", absl::StripSuffix(description, "."),
                        ", found none");
  }
  if (absl::StartsWith(description, "Object contains a property")) {
    return absl::StrCat(pointer, ": expected only members that the schema knows, found ",
                        absl::StripSuffix(description.substr(description.rfind(": ") + 2), "."));
  }
  const std::string expected = Described(schema);
  return absl::StrCat(pointer, ": expected ", expected.empty() ? error.description : expected,
                      ", found ", Shown(found));
}

// Keys, strings and depth within bounds, so that no file can exhaust what reads it.
void CheckBounds(const Json& json, const std::string& pointer, int depth,
                 std::vector<std::string>* violations) {
  if (json.is_string()) {
    const size_t size = json.get_ref<const std::string&>().size();
    if (size > kMaxStringBytes) {
      violations->push_back(absl::StrCat(pointer, ": expected at most ", kMaxStringBytes,
                                         " bytes of text, found ", size));
    }
    return;
  }
  if (!json.is_structured()) return;
  if (depth == kMaxDepth) {
    violations->push_back(
        absl::StrCat(pointer, ": expected at most ", kMaxDepth, " levels, found more"));
    return;
  }
  for (const auto& [key, member] : json.items()) {
    if (key.size() > kMaxKeyBytes) {
      violations->push_back(absl::StrCat(pointer, ": expected keys of at most ", kMaxKeyBytes,
                                         " bytes, found ", key.size()));
    }
    CheckBounds(member, absl::StrCat(pointer, "/", PointerToken(key.substr(0, kMaxKeyBytes))),
                depth + 1, violations);
  }
}

// A null has its reason beside it, and a reason its null.
void CheckReasons(const Json& numbers, const std::string& pointer,
                  std::vector<std::string>* violations) {
  for (const auto& [key, value] : numbers.items()) {
    absl::string_view base = key;
    if (absl::ConsumeSuffix(&base, keys::kReasonSuffix)) {
      const auto number = numbers.find(std::string(base));
      if (number == numbers.end() || !number->is_null()) {
        violations->push_back(absl::StrCat(pointer, "/", PointerToken(key), ": expected a null in ",
                                           base, ", found none"));
      }
    } else if (value.is_null() && !numbers.contains(key + keys::kReasonSuffix)) {
      violations->push_back(absl::StrCat(pointer, "/", PointerToken(key), ": expected ", key,
                                         keys::kReasonSuffix, " beside a null, found none"));
    }
  }
}

std::string GroupOf(const Json& run) {
  const Json& params = run[keys::kParams];
  const auto group = params.find(keys::kGroupParam);
  return group != params.end() && group->is_string() ? group->get<std::string>() : "";
}

void CheckRuns(const Json& runs, std::vector<std::string>* violations) {
  std::set<std::tuple<std::string, std::string, uint64_t, uint64_t>> seen;
  for (size_t i = 0; i < runs.size(); ++i) {
    const Json& run = runs[i];
    const std::string pointer = absl::StrCat("/", keys::kRuns, "/", i);
    for (const char* key : {keys::kMetrics, keys::kTimings}) {
      CheckReasons(run[key], absl::StrCat(pointer, "/", key), violations);
    }
    if (const auto curve = run.find(keys::kCurve); curve != run.end()) {
      for (size_t e = 0; e < curve->size(); ++e) {
        CheckReasons((*curve)[e], absl::StrCat(pointer, "/", keys::kCurve, "/", e), violations);
      }
    }
    const auto variant = run[keys::kVariant].get<std::string>();
    const auto repetition = run[keys::kRepetition].get<uint64_t>();
    if (!seen.insert({GroupOf(run), variant, repetition, run[keys::kSeed].get<uint64_t>()})
             .second) {
      violations->push_back(absl::StrCat(pointer,
                                         ": expected each repetition once, found repetition ",
                                         repetition, " of \"", variant, "\" again"));
    }
  }
}

}  // namespace

absl::string_view SchemaText() { return kSchemaText; }

std::vector<std::string> Violations(const Json& record) {
  std::vector<std::string> violations;
  CheckBounds(record, "", 0, &violations);
  if (!violations.empty()) return violations;
  try {
    const nlohmann::json unordered(record);
    valijson::ValidationResults results;
    valijson::Validator(valijson::Validator::kStrongTypes)
        .validate(Schema(), valijson::adapters::NlohmannJsonAdapter(unordered), &results);
    for (const valijson::ValidationResults::Error& error : results) {
      // These only say that something below them failed, which has its own error.
      if (absl::StartsWith(error.description, "Failed to validate")) continue;
      violations.push_back(InWords(error, record));
    }
  } catch (const std::exception& error) {
    violations.push_back(absl::StrCat("/: ", error.what()));
  }
  if (violations.empty()) CheckRuns(record[keys::kRuns], &violations);
  return violations;
}

absl::Status Validate(const Json& record, absl::string_view source) {
  // What a later schema asks for this one cannot say: its members may be right.
  if (record.is_object() && record.contains(keys::kSchemaVersion)) {
    const Json& version = record[keys::kSchemaVersion];
    if (version.is_number_integer() && version > kSchemaVersion) {
      return absl::InvalidArgumentError(absl::StrCat(
          source, ": /", keys::kSchemaVersion, ": expected ", kSchemaVersion, ", found ",
          Shown(&version), ", of a newer version of this program; read it with that version"));
    }
  }
  const std::vector<std::string> violations = Violations(record);
  if (violations.empty()) return absl::OkStatus();
  std::string text = absl::StrCat(source, ": ", violations[0]);
  if (violations.size() > 1) absl::StrAppend(&text, " (and ", violations.size() - 1, " more)");
  return absl::InvalidArgumentError(absl::StrCat(text, "; mend it there, or measure it anew"));
}

}  // namespace mlp::record
