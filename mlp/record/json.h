// JSON text and values, without exceptions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::record {

// Keeps the order of keys as written.
using Json = nlohmann::ordered_json;

// Parses the text of a file (or line) called `source`. The error names byte and line, and what to
// do about it.
absl::StatusOr<Json> ParseJson(absl::string_view text, absl::string_view source,
                               absl::string_view remedy = "mend it there, or write it anew");

// With indent < 0 all on one line. Bytes that are not UTF-8 become U+FFFD.
std::string Dump(const Json& json, int indent = -1);

// Whole numbers are written as such: 64, not 64.0. The value is finite.
Json Number(double value);

}  // namespace mlp::record
