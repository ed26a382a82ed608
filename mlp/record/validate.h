// Checks JSON against record.schema.json, which is compiled in, and against what a schema cannot
// say.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "mlp/record/json.h"

namespace mlp::record {

// Every violation: "/runs/3/seed: expected the run's seed (integer), found \"x\"". Empty: valid.
std::vector<std::string> Violations(const Json& record);

// The first violation as "<source>: <violation>", with how many more there are.
absl::Status Validate(const Json& record, absl::string_view source);

// The schema itself.
absl::string_view SchemaText();

}  // namespace mlp::record
