#include "experiments/harness/timed_command.h"

#include <regex>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "analysis/statistics.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/subprocess.h"

namespace mlp::experiments {

absl::StatusOr<double> PrintedSeconds(absl::string_view output) {
  const std::regex time(R"(([0-9]+(?:\.[0-9]*)?)\s*us(?![a-z]))");
  const std::string text(output);
  std::vector<double> microseconds;
  for (std::sregex_iterator it(text.begin(), text.end(), time), end; it != end; ++it) {
    double number = 0;
    if (absl::SimpleAtod((*it)[1].str(), &number) && number > 0) microseconds.push_back(number);
  }
  if (!microseconds.empty()) return 1e-6 * analysis::Median(microseconds);
  return absl::InvalidArgumentError(absl::StrCat(
      "expected a time in what it printed, as \"12.3 us\", found: ", output.substr(0, 300)));
}

absl::StatusOr<std::vector<TimedCommand>> ParseTimedCommands(
    const std::vector<std::string>& texts) {
  std::vector<TimedCommand> commands;
  for (const std::string& text : texts) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
    commands.push_back({parts.first, absl::StrSplit(parts.second, ' ', absl::SkipEmpty())});
    if (!commands.back().name.empty() && !commands.back().argv.empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--command: expected NAME=COMMAND, found ", text));
  }
  return commands;
}

absl::StatusOr<double> TimedCommand::Seconds() const {
  MLP_ASSIGN_OR_RETURN(const io::CommandResult result, io::RunCommand(argv));
  if (result.exit_code != 0) {
    return absl::AbortedError(absl::StrCat(argv[0], ": ended with exit code ", result.exit_code,
                                           ": ", result.errors.substr(0, 300)));
  }
  absl::StatusOr<double> seconds = PrintedSeconds(result.output);
  if (seconds.ok()) return seconds;
  return absl::InvalidArgumentError(absl::StrCat(argv[0], ": ", seconds.status().message()));
}

absl::Status CheckNames(const std::vector<TimedCommand>& commands,
                        const std::vector<std::string>& taken) {
  std::set<std::string> names(taken.begin(), taken.end());
  for (const TimedCommand& command : commands) {
    if (names.insert(command.name).second) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--command: expected a name that nothing else has, found ", command.name));
  }
  return absl::OkStatus();
}

}  // namespace mlp::experiments
