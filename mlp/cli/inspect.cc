// `mlp inspect`: what a model is made of and what it costs.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "mlp/cli/commands.h"
#include "mlp/cli/console.h"
#include "mlp/cli/options.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/paths.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/layers/layer.h"
#include "mlp/model/model.h"
#include "mlp/model/model_file.h"
#include "mlp/model/spec.h"

namespace mlp::cli {
namespace {

constexpr absl::string_view kCommand = "mlp inspect";

struct LayerFacts {
  std::string activation;
  size_t inputs;
  size_t outputs;
  size_t parameters;
  size_t forward_flops;
  size_t training_flops;  // forward, weight gradient, and, but for the first layer, input gradient
};

LayerFacts FactsOf(const model::Model& model, size_t i) {
  const layers::Layer& layer = model.layer(i);
  const bool last = i + 1 == model.layer_count();
  const size_t forward = 2 * layer.multiply_adds();
  return {std::string(last ? kernels::OutputName(model.spec().loss)
                           : kernels::Name(model.spec().layers[i].activation)),
          layer.inputs(),
          layer.outputs(),
          layer.parameter_count(),
          forward,
          i == 0 ? 2 * forward : 3 * forward};
}

std::string Table(const model::Model& model) {
  std::string text =
      absl::StrFormat("%5s  %-6s  %11s  %-10s  %10s  %10s  %13s  %14s\n", "layer", "kind", "shape",
                      "activation", "parameters", "bytes", "forward FLOPs", "training FLOPs");
  const auto add = [&text](absl::string_view number, absl::string_view kind,
                           absl::string_view activation, const std::string& shape,
                           size_t parameters, size_t forward, size_t training) {
    absl::StrAppendFormat(&text, "%5s  %-6s  %11s  %-10s  %10d  %10d  %13d  %14d\n", number, kind,
                          shape, activation, parameters, parameters * sizeof(float), forward,
                          training);
  };
  for (size_t i = 0; i < model.layer_count(); ++i) {
    const LayerFacts layer = FactsOf(model, i);
    add(absl::StrCat(i + 1), "dense", layer.activation,
        absl::StrCat(layer.inputs, " x ", layer.outputs), layer.parameters, layer.forward_flops,
        layer.training_flops);
  }
  add("all", "", "", "", model.parameters().size(), model.inference_flops(),
      model.training_flops());
  return text;
}

std::string Origin(const std::string& in, const model::ModelInfo& info) {
  std::string text = absl::StrFormat(
      "%s\ntrained on %s, %d x %d pixels, %d classes (SHA-256 %s)\n%d epoch%s and %d step%s done\n",
      in, info.dataset.name, info.dataset.rows, info.dataset.cols, info.dataset.classes,
      info.dataset.sha256, info.training.epochs_done, info.training.epochs_done == 1 ? "" : "s",
      info.training.steps_done, info.training.steps_done == 1 ? "" : "s");
  for (const auto& [name, value] : info.settings) {
    if (!value.empty()) absl::StrAppend(&text, "  ", name, " = ", value, "\n");
  }
  return text + "\n";
}

Json Document(const std::string& in, const model::Model& model,
              const std::optional<model::ModelInfo>& info) {
  Json layers = Json::array();
  for (size_t i = 0; i < model.layer_count(); ++i) {
    const LayerFacts layer = FactsOf(model, i);
    layers.push_back({{"kind", "dense"},
                      {"inputs", layer.inputs},
                      {"outputs", layer.outputs},
                      {"activation", layer.activation},
                      {"parameters", layer.parameters},
                      {"bytes", layer.parameters * sizeof(float)},
                      {"forward_flops_per_sample", layer.forward_flops},
                      {"training_flops_per_sample", layer.training_flops}});
  }
  Json document = {{"model",
                    {{"spec", model::Format(model.spec())},
                     {"layers", layers},
                     {"parameters", model.parameters().size()},
                     {"bytes", model.parameters().size_bytes()},
                     {"forward_flops_per_sample", model.inference_flops()},
                     {"training_flops_per_sample", model.training_flops()}}}};
  if (info) {
    const model::DatasetIdentity& data = info->dataset;
    document["in"] = in;
    document["data"] = {{"name", data.name},
                        {"sha256", data.sha256},
                        {"rows", data.rows},
                        {"cols", data.cols},
                        {"classes", data.classes}};
    document["training"] = {{"epochs_done", info->training.epochs_done},
                            {"steps_done", info->training.steps_done},
                            {"settings", info->settings}};
  }
  return document;
}

}  // namespace

int Inspect(int argc, const char* const* argv) {
  flags::Flags flags(std::string(kCommand), "shows what a model is made of and what it costs.");
  std::string in;
  std::string spec_text;
  OutputOptions output;
  flags.Group("Model: one of the two");
  flags.String("in", &in, {.help = "a model file", .value_name = "FILE"});
  flags.String(
      "model", &spec_text,
      {.help = "widths from input to output, activations between them", .value_name = "SPEC"});
  AddOutputFlags(flags, &output, /*with_progress=*/false);
  flags.Example("mlp inspect --model=784-128-128-128-10");
  flags.Example("mlp inspect --model=784-256-tanh-10 --json");
  flags.Example("mlp inspect --in=digits.mlp");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;

  if (flags.Given("in") == flags.Given("model")) {
    return RefuseUse(
        kCommand, absl::InvalidArgumentError(absl::StrCat("expected --in or --model, found ",
                                                          flags.Given("in") ? "both" : "neither")));
  }
  std::optional<model::Model> model;
  std::optional<model::ModelInfo> info;
  if (flags.Given("in")) {
    absl::StatusOr<model::SavedModel> saved = model::LoadModel(flags::ResolvePath(in));
    if (!saved.ok()) return Fail(saved.status());
    model.emplace(std::move(saved->model));
    info.emplace(std::move(saved->info));
  } else {
    const absl::StatusOr<model::ModelSpec> spec = model::ParseModelSpec(spec_text);
    if (!spec.ok()) return RefuseUse(kCommand, spec.status());
    model.emplace(*spec);
  }
  if (output.json) {
    PrintJson(Document(in, *model, info));
  } else {
    if (info) PrintText(Origin(in, *info));
    PrintText(absl::StrCat(model::Format(model->spec()), "\n", Table(*model)));
  }
  return kDone;
}

}  // namespace mlp::cli
