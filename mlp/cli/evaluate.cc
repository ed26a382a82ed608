// `mlp evaluate`: how good a model is on the test part of a data set.
#include "mlp/train/evaluate.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "mlp/cli/commands.h"
#include "mlp/cli/console.h"
#include "mlp/cli/options.h"
#include "mlp/data/dataset.h"
#include "mlp/flags/flags.h"
#include "mlp/model/model_file.h"

namespace mlp::cli {
namespace {

constexpr absl::string_view kCommand = "mlp evaluate";

// Rows are true classes, columns predicted ones.
std::string ConfusionTable(const std::vector<size_t>& counts, size_t classes) {
  std::string text = "\nactual \\ predicted\n   ";
  for (size_t j = 0; j < classes; ++j) absl::StrAppendFormat(&text, " %6d", j);
  for (size_t i = 0; i < classes; ++i) {
    absl::StrAppendFormat(&text, "\n%3d", i);
    for (size_t j = 0; j < classes; ++j) {
      absl::StrAppendFormat(&text, " %6d", counts[i * classes + j]);
    }
  }
  return text + "\n";
}

int Run(const std::string& in, const model::SavedModel& saved, const data::Dataset& dataset,
        const train::EvaluateOptions& options, const OutputOptions& output) {
  if (const absl::Status status = CheckShape(in, saved, dataset.name, dataset.rows, dataset.cols);
      !status.ok()) {
    return Fail(status);
  }
  const size_t classes = saved.model.spec().classes();
  if (classes < dataset.classes) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat(in, ": classes: expected at least the ", dataset.classes, " of ", dataset.name,
                     " (", data::LargestLabel(dataset), "), found ", classes,
                     "; name a model that was trained on such data, or mend a label that is "
                     "wrong")));
  }
  if (saved.info.dataset.sha256 != dataset.sha256) {
    Note(output.quiet, absl::StrCat(in, " was trained on ", saved.info.dataset.name, ", not on ",
                                    dataset.name, " as it is here"));
  }
  const train::Evaluation test = train::Evaluate(options, saved.model, dataset.test);
  const std::vector<size_t> counts = train::ConfusionMatrix(options, saved.model, dataset.test);
  if (output.json) {
    Json rows = Json::array();
    for (size_t i = 0; i < classes; ++i) {
      rows.push_back(
          std::vector<size_t>(counts.begin() + static_cast<ptrdiff_t>(i * classes),
                              counts.begin() + static_cast<ptrdiff_t>((i + 1) * classes)));
    }
    PrintJson(Json{{"test",
                    {{"samples", test.samples},
                     {"loss", test.loss},
                     {"accuracy", test.accuracy},
                     {"confusion_matrix", rows}}},
                   {"data", {{"name", dataset.name}, {"sha256", dataset.sha256}}},
                   {"in", in}});
  } else {
    PrintText(
        absl::StrFormat("%s on the test part of %s: loss %.4f, accuracy %.2f %% of %d samples\n",
                        in, dataset.name, test.loss, 100 * test.accuracy, test.samples));
    PrintText(ConfusionTable(counts, classes));
  }
  return kDone;
}

}  // namespace

int Evaluate(int argc, const char* const* argv) {
  flags::Flags flags(std::string(kCommand), "measures a model on the test part of a data set.");
  ModelFlags options;
  AddModelFlags(
      flags, &options,
      "digits, circles, mnist, or a directory with four IDX files; else what the model was "
      "trained on");
  flags.Example("mlp evaluate --in=digits.mlp");
  flags.Example("mlp evaluate --in=digits.mlp --data=digits --threads=1");
  flags.Example("mlp evaluate --in=digits.mlp --json");
  int exit_code = kDone;
  if (const auto end = flags.Parse(argc, argv)) return *end;
  const std::optional<ModelUse> use = LoadModelUse(kCommand, flags, options, &exit_code);
  if (!use) return exit_code;
  const absl::StatusOr<data::Dataset> dataset = LoadData(use->source);
  if (!dataset.ok()) return Fail(use->WhoNamedTheData(dataset.status()));
  return Run(options.in, use->saved, *dataset, use->options, options.output);
}

}  // namespace mlp::cli
