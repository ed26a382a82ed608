// `mlp predict`: the class of each picture, as CSV.
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/base/shortest.h"
#include "mlp/base/status_macros.h"
#include "mlp/cli/commands.h"
#include "mlp/cli/console.h"
#include "mlp/cli/options.h"
#include "mlp/data/dataset.h"
#include "mlp/data/idx.h"
#include "mlp/data/load.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/paths.h"
#include "mlp/io/atomic_file.h"
#include "mlp/io/replace.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/model/model.h"
#include "mlp/model/model_file.h"
#include "mlp/tensor/matrix.h"
#include "mlp/train/evaluate.h"

namespace mlp::cli {
namespace {

constexpr absl::string_view kCommand = "mlp predict";
// With a column for each class, or without.
constexpr absl::string_view kHeader = "index,label";
constexpr io::FileKind kPredictions = {"file of predictions", "index,label\n", "index,label,p0"};

struct Pictures {
  data::Examples examples;  // labels are not looked at
  size_t rows = 0;
  size_t cols = 0;
};

// All pictures of an IDX file, or the test part of a data set.
absl::StatusOr<Pictures> LoadPictures(const DataOptions& options) {
  const std::string path = flags::ResolvePath(options.data);
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (data::IsNamed(options.data) || std::filesystem::is_directory(status)) {
    MLP_ASSIGN_OR_RETURN(data::Dataset dataset, LoadData(options));
    return Pictures{std::move(dataset.test), dataset.rows, dataset.cols};
  }
  if (!std::filesystem::exists(status)) {
    return absl::NotFoundError(
        absl::StrCat(options.data,
                     ": --data: expected an IDX file of images, digits, circles, mnist, or a "
                     "directory with four IDX files, found nothing there; choose one of these"));
  }
  MLP_ASSIGN_OR_RETURN(data::IdxArray images, data::ReadIdx(path, 3));
  Pictures pictures = {{}, images.dimensions[1], images.dimensions[2]};
  pictures.examples.size = images.dimensions[0];
  pictures.examples.features = pictures.rows * pictures.cols;
  pictures.examples.pixels = std::move(images.data);
  // Batches carry labels, whether they mean something or not.
  pictures.examples.labels = AlignedBuffer<uint8_t>(pictures.examples.size);
  return pictures;
}

struct Prediction {
  size_t label = 0;
  std::vector<float> probabilities;  // [classes], or none where they were not asked for
};

std::vector<Prediction> PredictAll(const train::EvaluateOptions& options, const model::Model& model,
                                   const data::Examples& examples, bool with_probabilities) {
  std::vector<Prediction> predictions;
  predictions.reserve(examples.size);
  train::Predict(options, model, examples,
                 [&](size_t, ConstMatrix probabilities, std::span<const uint32_t> classes) {
                   for (size_t i = 0; i < classes.size(); ++i) {
                     Prediction& prediction = predictions.emplace_back();
                     prediction.label = classes[i];
                     if (!with_probabilities) continue;
                     const float* row = probabilities.row(i);
                     prediction.probabilities.assign(row, row + probabilities.cols());
                   }
                 });
  return predictions;
}

std::string Csv(const std::vector<Prediction>& predictions, size_t classes,
                bool with_probabilities) {
  std::string text(kHeader);
  for (size_t j = 0; with_probabilities && j < classes; ++j) absl::StrAppend(&text, ",p", j);
  text += "\n";
  for (size_t i = 0; i < predictions.size(); ++i) {
    absl::StrAppend(&text, i, ",", predictions[i].label);
    for (const float probability : predictions[i].probabilities) {
      absl::StrAppend(&text, ",", Shortest(probability));
    }
    text += "\n";
  }
  return text;
}

Json Document(const std::vector<Prediction>& predictions) {
  Json rows = Json::array();
  for (size_t i = 0; i < predictions.size(); ++i) {
    Json row = {{"index", i}, {"label", predictions[i].label}};
    if (!predictions[i].probabilities.empty()) {
      row["probabilities"] = predictions[i].probabilities;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

int Predict(int argc, const char* const* argv) {
  flags::Flags flags(std::string(kCommand), "says which class each picture is of, as CSV.");
  std::string out;
  bool with_probabilities = false;
  bool force = false;
  ModelFlags options;
  AddModelFlags(flags, &options,
                "an IDX file of images; or the test part of digits, circles, mnist, a directory "
                "with four IDX files; else of what the model was trained on");
  flags.Bool("probabilities", &with_probabilities, "the probability of every class, too");
  flags.String("out", &out,
               {.help = "the CSV file; else stdout", .value_name = "FILE", .may_be_empty = false});
  flags.Bool("force", &force, "replace --out whatever it is");
  flags.Example("mlp predict --in=digits.mlp");
  flags.Example("mlp predict --in=digits.mlp --probabilities --out=predictions.csv");
  flags.Example("mlp predict --in=digits.mlp --data=digits --json");
  if (const auto end = flags.Parse(argc, argv)) return *end;

  const std::string out_path = flags::ResolvePath(out);
  if (!out.empty()) {
    const absl::Status status = io::CheckReplaceable(out_path, kPredictions, force);
    if (!status.ok()) return Fail(status);
  }
  int exit_code = kDone;
  const std::optional<ModelUse> use = LoadModelUse(kCommand, flags, options, &exit_code);
  if (!use) return exit_code;
  const model::SavedModel& saved = use->saved;
  const absl::StatusOr<Pictures> pictures = LoadPictures(use->source);
  if (!pictures.ok()) return Fail(use->WhoNamedTheData(pictures.status()));
  if (with_probabilities && saved.model.spec().loss == kernels::LossKind::kMeanSquaredError) {
    return RefuseUse(kCommand, absl::InvalidArgumentError(absl::StrCat(
                                   "--probabilities: ", options.in, " was trained with ",
                                   Name(saved.model.spec().loss),
                                   ", whose outputs are no probabilities; leave it out")));
  }
  if (const absl::Status status =
          CheckShape(options.in, saved, use->source.data, pictures->rows, pictures->cols);
      !status.ok()) {
    return Fail(status);
  }

  const std::vector<Prediction> predictions =
      PredictAll(use->options, saved.model, pictures->examples, with_probabilities);
  if (!out.empty()) {
    const absl::Status status = io::WriteFileAtomically(
        out_path, Csv(predictions, saved.model.spec().classes(), with_probabilities));
    if (!status.ok()) return Fail(status);
  }
  if (options.output.json) {
    Json document = {
        {"samples", predictions.size()}, {"in", options.in}, {"data", use->source.data}};
    if (out.empty()) {
      document["predictions"] = Document(predictions);
    } else {
      document["out"] = out;
    }
    PrintJson(document);
  } else if (out.empty()) {
    PrintText(Csv(predictions, saved.model.spec().classes(), with_probabilities));
  } else {
    PrintText(absl::StrCat("wrote ", predictions.size(), " predictions to ", out, "\n"));
  }
  return kDone;
}

}  // namespace mlp::cli
