#include "mlp/cli/options.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/team.h"
#include "mlp/cli/console.h"
#include "mlp/data/load.h"
#include "mlp/flags/paths.h"
#include "mlp/kernels/target.h"

namespace mlp::cli {
namespace {

DataOptions DataFor(const flags::Flags& flags, DataOptions options, const model::ModelInfo& info) {
  if (!flags.Given("data")) options.data = info.dataset.name;
  if (options.data != info.dataset.name) return options;
  const auto data_dir = info.settings.find("data_dir");
  if (!flags.Given("data_dir") && data_dir != info.settings.end()) {
    options.data_dir = data_dir->second;
  }
  return options;
}

}  // namespace

void AddDataFlags(flags::Flags& flags, DataOptions* options, const std::string& help) {
  flags.String("data", &options->data, {.help = help, .value_name = "DATA"});
  flags.String("data_dir", &options->data_dir, {.help = data::kDataDirHelp, .value_name = "DIR"});
}

absl::StatusOr<data::Dataset> LoadData(const DataOptions& options, double pack_below,
                                       double pack_test_below) {
  data::Source source;
  source.pack_below = pack_below;
  source.pack_test_below = pack_test_below;
  source.data = data::IsNamed(options.data) ? options.data : flags::ResolvePath(options.data);
  source.data_dir = flags::ResolvePath(options.data_dir);
  MLP_ASSIGN_OR_RETURN(data::Dataset dataset, data::Load(source));
  dataset.name = options.data;
  return dataset;
}

void AddComputeFlags(flags::Flags& flags, ComputeOptions* options) {
  flags.Group("Computation");
  flags.Int("threads", &options->threads,
            {.help = "worker threads; 0: all that this process may use", .min = 0});
  flags.String("backend", &options->backend,
               {.help = "kernels: auto, scalar, autovec, eigen or simd", .value_name = "NAME"});
  flags.String("isa", &options->isa,
               {.help = "instruction set: auto (the best there is), scalar, sse2, avx2, avx512",
                .value_name = "NAME"});
  flags.Choice("math", &options->math, {"fast", "exact"}, {.help = "accuracy of functions"});
  flags.Choice("device", &options->device, {"cpu"}, {.help = "where it runs"});
}

absl::StatusOr<train::EvaluateOptions> Resolve(const ComputeOptions& options) {
  train::EvaluateOptions resolved;
  MLP_ASSIGN_OR_RETURN(resolved.target, kernels::ParseTarget(options.backend, options.isa));
  MLP_ASSIGN_OR_RETURN(resolved.math, kernels::ParseMathMode(options.math));
  resolved.threads = EffectiveThreads(options.threads);
  return resolved;
}

void AddOutputFlags(flags::Flags& flags, OutputOptions* options, bool with_progress) {
  flags.Group("Output");
  flags.Bool("json", &options->json, "one JSON document on stdout and nothing else there");
  flags.Bool("quiet", &options->quiet, "nothing on stderr but errors");
  if (!with_progress) return;
  flags.Choice("progress", &options->progress, {"auto", "always", "never"},
               {.help = "a bar on stderr; auto: only on a terminal"});
}

void NoteThreads(const ComputeOptions& compute, int threads, const OutputOptions& output) {
  if (compute.threads <= threads) return;
  Note(output.quiet, absl::StrCat("--threads=", compute.threads, ": this process may use ", threads,
                                  ", so it uses ", threads));
}

void AddModelFlags(flags::Flags& flags, ModelFlags* options, const std::string& data_help) {
  flags.Group("Data and model");
  flags.String("in", &options->in, {.help = "the model", .value_name = "FILE"});
  AddDataFlags(flags, &options->data, data_help);
  AddComputeFlags(flags, &options->compute);
  AddOutputFlags(flags, &options->output, /*with_progress=*/false);
}

std::optional<ModelUse> LoadModelUse(absl::string_view command, const flags::Flags& flags,
                                     const ModelFlags& options, int* exit_code) {
  const auto refuse = [&](const absl::Status& status) {
    *exit_code = RefuseUse(command, status);
    return std::nullopt;
  };
  if (options.in.empty()) {
    return refuse(absl::InvalidArgumentError(
        "--in: expected a model file, found nothing; name one that `mlp train --out` wrote"));
  }
  const absl::StatusOr<train::EvaluateOptions> compute = Resolve(options.compute);
  if (!compute.ok()) return refuse(compute.status());
  NoteThreads(options.compute, compute->threads, options.output);
  absl::StatusOr<model::SavedModel> saved = model::LoadModel(flags::ResolvePath(options.in));
  if (!saved.ok()) {
    *exit_code = Fail(saved.status());
    return std::nullopt;
  }
  DataOptions source = DataFor(flags, options.data, saved->info);
  return ModelUse{*std::move(saved), std::move(source), *compute,
                  flags.Given("data") ? "" : options.in};
}

absl::Status ModelUse::WhoNamedTheData(const absl::Status& wrong) const {
  if (named_by.empty()) return wrong;
  return absl::Status(wrong.code(), absl::StrCat(wrong.message(), " (", named_by,
                                                 " was trained on it; --data names other data)"));
}

absl::Status CheckShape(const std::string& in, const model::SavedModel& saved,
                        const std::string& data, size_t rows, size_t cols) {
  const model::DatasetIdentity& trained_on = saved.info.dataset;
  if (rows * cols == saved.model.inputs() && rows == trained_on.rows && cols == trained_on.cols) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      data, ": pictures: expected ", trained_on.rows, " x ", trained_on.cols, " pixels for ", in,
      " (", saved.model.inputs(), " inputs), found ", rows, " x ", cols,
      "; name data like those that the model was trained on (", trained_on.name, ")"));
}

}  // namespace mlp::cli
