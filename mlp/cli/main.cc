// `mlp`: picks the subcommand.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mlp/cli/commands.h"
#include "mlp/cli/console.h"
#include "mlp/flags/nearest.h"
#include "mlp/flags/program.h"
#include "mlp/version/version.h"

namespace mlp::cli {
namespace {

struct Command {
  const char* name;
  const char* purpose;
  int (*run)(int, const char* const*);
};

constexpr Command kCommands[] = {
    {"train", "trains a model on labelled pictures", Train},
    {"evaluate", "measures a model: loss, accuracy, confusion matrix", Evaluate},
    {"predict", "says which class each picture is of, as CSV", Predict},
    {"inspect", "shows layers, parameters and cost of a model", Inspect},
    {"tune", "measures what is the fastest on this machine, for later trainings", Tune},
};

std::string Usage() {
  std::string text =
      "mlp: trains multilayer perceptrons, fast.\n\nUsage: mlp COMMAND [flags]\n\nCommands\n";
  for (const Command& command : kCommands) {
    absl::StrAppend(&text, "  ", command.name,
                    std::string(12 - absl::string_view(command.name).size(), ' '), command.purpose,
                    "\n");
  }
  return text +
         "\nmlp COMMAND --help lists the flags of a command, mlp --version tells version and "
         "commit.\n\nExamples\n"
         "  mlp train --epochs=3 --out=digits.mlp\n"
         "  mlp evaluate --in=digits.mlp\n"
         "  mlp inspect --model=784-128-128-128-10\n";
}

int Run(const std::vector<const char*>& arguments) {
  if (arguments.empty()) {
    return RefuseUse(
        "mlp", absl::InvalidArgumentError("expected a command, found none; mlp --help lists them"));
  }
  const absl::string_view name = arguments[0];
  if (name == "--version" || name == "version") {
    PrintText(absl::StrCat("mlp ", version::VersionText(), "\n"));
    return kDone;
  }
  if (name == "help" && arguments.size() > 1) return Run({arguments[1], "--help"});
  if (name == "help" || name == "--help" || name == "-h") {
    PrintText(Usage());
    return kDone;
  }
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (name == command.name) {
      return command.run(static_cast<int>(arguments.size()), arguments.data());
    }
    names.push_back(command.name);
  }
  const std::string nearest = flags::Nearest(name, names);
  return RefuseUse("mlp", absl::InvalidArgumentError(absl::StrCat(
                              "unknown command \"", name, "\"; ",
                              nearest.empty() ? "mlp --help lists those there are"
                                              : absl::StrCat("did you mean mlp ", nearest, "?"))));
}

}  // namespace
}  // namespace mlp::cli

int main(int argc, char** argv) {
  return mlp::flags::RunMain("mlp", [&] {
    return mlp::cli::Run({argv + (argc > 0 ? 1 : 0), argv + argc});
  });
}
