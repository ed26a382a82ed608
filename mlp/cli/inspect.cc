// `mlp inspect`: what a model is made of and what it costs.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "mlp/base/counted.h"
#include "mlp/cli/commands.h"
#include "mlp/cli/console.h"
#include "mlp/cli/options.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/paths.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/loss/loss.h"
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
  size_t forward_flops;   // for each sample, two for each multiply-add
  size_t training_flops;  // forward, weight gradient, and, but for the first layer, input gradient
};

// From the spec alone: a model is only made where its parameters are asked for.
std::vector<LayerFacts> FactsOf(const model::ModelSpec& spec) {
  std::vector<LayerFacts> facts;
  size_t inputs = spec.inputs;
  for (const model::DenseSpec& layer : spec.layers) {
    const bool last = facts.size() + 1 == spec.layers.size();
    const size_t forward = 2 * inputs * layer.units;
    facts.push_back(
        {std::string(last ? kernels::OutputName(spec.loss) : kernels::Name(layer.activation)),
         inputs, layer.units, (inputs + 1) * layer.units, forward,
         facts.empty() ? 2 * forward : 3 * forward});
    inputs = layer.units;
  }
  return facts;
}

LayerFacts SumOf(const std::vector<LayerFacts>& layers) {
  LayerFacts sum = {};
  for (const LayerFacts& layer : layers) {
    sum.parameters += layer.parameters;
    sum.forward_flops += layer.forward_flops;
    sum.training_flops += layer.training_flops;
  }
  return sum;
}

std::string Table(const model::ModelSpec& spec) {
  std::string text =
      absl::StrFormat("%5s  %-6s  %11s  %-10s  %10s  %10s  %13s  %14s\n", "layer", "kind", "shape",
                      "activation", "parameters", "bytes", "forward FLOPs", "training FLOPs");
  const auto add = [&text](absl::string_view number, absl::string_view kind,
                           const std::string& shape, const LayerFacts& layer) {
    absl::StrAppendFormat(&text, "%5s  %-6s  %11s  %-10s  %10d  %10d  %13d  %14d\n", number, kind,
                          shape, layer.activation, layer.parameters,
                          layer.parameters * sizeof(float), layer.forward_flops,
                          layer.training_flops);
  };
  const std::vector<LayerFacts> layers = FactsOf(spec);
  for (size_t i = 0; i < layers.size(); ++i) {
    add(absl::StrCat(i + 1), "dense", absl::StrCat(layers[i].inputs, " x ", layers[i].outputs),
        layers[i]);
  }
  add("all", "", "", SumOf(layers));
  return text;
}

std::string Origin(const std::string& in, const model::ModelInfo& info) {
  std::string text = absl::StrFormat(
      "%s\ntrained on %s, %d x %d pixels, %d classes (SHA-256 %s)\n%s and %s done\n", in,
      info.dataset.name, info.dataset.rows, info.dataset.cols, info.dataset.classes,
      info.dataset.sha256, Counted(info.training.epochs_done, "epoch"),
      Counted(info.training.steps_done, "step"));
  for (const auto& [name, value] : info.settings) {
    if (!value.empty()) absl::StrAppend(&text, "  ", name, " = ", value, "\n");
  }
  return text + "\n";
}

Json Document(const std::string& in, const model::ModelSpec& spec,
              const std::optional<model::ModelInfo>& info) {
  const std::vector<LayerFacts> facts = FactsOf(spec);
  Json layers = Json::array();
  for (const LayerFacts& layer : facts) {
    layers.push_back({{"kind", "dense"},
                      {"inputs", layer.inputs},
                      {"outputs", layer.outputs},
                      {"activation", layer.activation},
                      {"parameters", layer.parameters},
                      {"bytes", layer.parameters * sizeof(float)},
                      {"forward_flops_per_sample", layer.forward_flops},
                      {"training_flops_per_sample", layer.training_flops}});
  }
  const LayerFacts sum = SumOf(facts);
  Json document = {{"model",
                    {{"spec", model::Format(spec)},
                     {"layers", layers},
                     {"parameters", sum.parameters},
                     {"bytes", sum.parameters * sizeof(float)},
                     {"forward_flops_per_sample", sum.forward_flops},
                     {"training_flops_per_sample", sum.training_flops}}}};
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
  model::ModelSpec spec;
  std::optional<model::ModelInfo> info;
  if (flags.Given("in")) {
    absl::StatusOr<model::SavedModel> saved = model::LoadModel(flags::ResolvePath(in));
    if (!saved.ok()) return Fail(saved.status());
    spec = saved->model.spec();
    info.emplace(std::move(saved->info));
  } else {
    absl::StatusOr<model::ModelSpec> parsed = model::ParseModelSpec(spec_text);
    if (!parsed.ok()) return RefuseUse(kCommand, parsed.status());
    spec = *std::move(parsed);
  }
  if (output.json) {
    PrintJson(Document(in, spec, info));
  } else {
    if (info) PrintText(Origin(in, *info));
    PrintText(absl::StrCat(model::Format(spec), "\n", Table(spec)));
  }
  return kDone;
}

}  // namespace mlp::cli
