// What a command says, and the exit codes that it ends with. Results go to stdout, all else to
// stderr.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "mlp/flags/program.h"

namespace mlp::cli {

enum ExitCode { kDone = 0, kFailed = 1, kWrongUse = 2, kInterrupted = 130 };

// The work failed: "mlp: <message>" on stderr. Returns kFailed.
int Fail(const absl::Status& status);

// The command line makes no sense: "mlp train: <message>" on stderr. Returns kWrongUse.
int RefuseUse(absl::string_view command, const absl::Status& status);

// Something the user should know, on stderr.
void Note(bool quiet, absl::string_view text);

// Keys stay in the order in which they were added.
using Json = nlohmann::ordered_json;

// The document on stdout.
void PrintJson(const Json& document);
using flags::PrintText;

}  // namespace mlp::cli
