#include "mlp/cli/train_flags.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mlp/base/isa.h"
#include "mlp/base/names.h"
#include "mlp/base/shortest.h"
#include "mlp/base/status_macros.h"
#include "mlp/cli/console.h"
#include "mlp/data/batcher.h"
#include "mlp/data/load.h"
#include "mlp/flags/effect.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/kernels/target.h"
#include "mlp/kernels/update/update.h"
#include "mlp/train/strategies/strategy.h"

namespace mlp::cli {
namespace {

// Settings without which the rest of a training cannot be what it would have been: they decide
// which samples come when, and what the optimizer's state means.
constexpr const char* kFixed[] = {"batch_size", "last_batch", "optimizer", "seed", "validation"};

// A flag that has an effect with some values of another one only.
struct Dependent {
  const char* name;
  const char* on;
  std::string TrainFlags::*chosen;
  std::vector<std::string> values;
};

const std::vector<Dependent>& Dependents() {
  static const auto& dependents = *new std::vector<Dependent>{
      {"momentum", "optimizer", &TrainFlags::optimizer, {"momentum"}},
      {"rho", "optimizer", &TrainFlags::optimizer, {"rmsprop"}},
      {"beta1", "optimizer", &TrainFlags::optimizer, {"adam"}},
      {"beta2", "optimizer", &TrainFlags::optimizer, {"adam"}},
      {"epsilon", "optimizer", &TrainFlags::optimizer, {"rmsprop", "adam"}},
      {"micro_batches", "strategy", &TrainFlags::strategy, {"accumulate"}},
      {"shards",
       "strategy",
       &TrainFlags::strategy,
       {"auto", "tensor_parallel", "thread_private", "atomic", "hogwild"}},
  };
  return dependents;
}

// A flag that no other strategy understands, or "".
std::string AsksForTensorParallel(const TrainFlags& flags) {
  if (flags.precision != "fp32") return absl::StrCat("--precision=", flags.precision);
  return flags.skip_zeros == "yes" ? "--skip_zeros=yes" : "";
}

// Whether nothing rules tensor_parallel out, which `asked` needs.
absl::Status CheckTensorParallel(const std::string& asked, const TrainFlags& flags,
                                 const kernels::Target& target) {
  std::string against;
  if (flags.clip_norm > 0) {
    against = absl::StrCat("--clip_norm=", Shortest(flags.clip_norm),
                           " rules out, as it needs the whole gradient");
  } else if (!data::HasPixels(flags.data.data)) {
    against = absl::StrCat("--data=", flags.data.data, " rules out, as it has no pixels");
  } else if (kernels::KernelsFor(target).panel == nullptr) {
    against = absl::StrCat("kernels of ", kernels::Name(target), " rule out");
  } else {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      asked, ": needs --strategy=tensor_parallel, which ", against, "; leave one of them out"));
}

// A flag that the user gave has to have an effect; a setting of a file may be without.
absl::Status CheckEffect(const flags::Flags& given, const TrainFlags& flags) {
  for (const Dependent& flag : Dependents()) {
    const std::string& chosen = flags.*flag.chosen;
    if (!given.Given(flag.name)) continue;
    if (std::ranges::find(flag.values, chosen) != flag.values.end()) continue;
    return flags::NoEffect(flag.name, flag.on, flag.values, chosen);
  }
  return optim::CheckEffect(given, flags);
}

bool HasWords(const train::StrategyOptions& strategy) {
  return strategy.precision != kernels::Precision::kFp32;
}

bool IsScalar(const kernels::Target& target) { return target.backend == kernels::Backend::kScalar; }

}  // namespace

void AddTrainFlags(flags::Flags& flags, TrainFlags* o) {
  flags.Group("Data and model");
  AddDataFlags(flags, &o->data, "digits, circles, mnist, or a directory with four IDX files");
  flags.String("model", &o->model,
               {.help = "widths from input to output, activations between them (relu if none)",
                .value_name = "SPEC"});
  flags.String("loss", &o->loss,
               {.help = "what is minimised: auto (as the model's text ends: softmax, sigmoid or "
                        "linear), softmax_cross_entropy, binary_cross_entropy, mean_squared_error",
                .value_name = "NAME"});
  flags.Group("Training");
  flags.Int("epochs", &o->epochs,
            {.help = "passes over the data, those before --resume included",
             .min = 0,
             .max = 1000000000});
  flags.Int("batch_size", &o->batch_size, {.help = "samples per update", .min = 1});
  flags.Choice("last_batch", &o->last_batch, {"keep", "drop"}, {.help = "one that is not full"});
  flags.Choice("optimizer", &o->optimizer, Names(kernels::kOptimizerKinds),
               {.help = "how weights follow gradients"});
  flags.Double("learning_rate", &o->learning_rate, {.help = "step size", .min = 0});
  optim::AddScheduleFlags(flags, o);
  flags.Double("weight_decay", &o->weight_decay, {.help = "decoupled", .min = 0});
  const auto part = [&](const std::string& name, double* target, const std::string& help) {
    flags.Double(name, target, {.help = help, .min = 0, .max = 1, .below_max = true});
  };
  part("momentum", &o->momentum, "of momentum: what a step keeps of the velocity");
  part("rho", &o->rho, "of rmsprop: what a step keeps of the mean of squares");
  part("beta1", &o->beta1, "of adam: what a step keeps of the mean of gradients");
  part("beta2", &o->beta2, "of adam: what a step keeps of the mean of their squares");
  flags.Double("epsilon", &o->epsilon,
               {.help = "of rmsprop and adam: added to their root", .min = 0});
  flags.Double("clip_norm", &o->clip_norm,
               {.help = "bound of the gradient's norm; 0: none", .min = 0});
  flags.Int("seed", &o->seed, {.help = "of initial weights, order and validation split", .min = 0});
  flags.Double(
      "validation", &o->validation,
      {.help = "part of the training set to hold out", .min = 0, .max = 1, .below_max = true});
  flags.String(
      "strategy", &o->strategy,
      {.help = absl::StrCat("how gradients become updates: ", NamesOf(train::kStrategyKinds),
                            "; auto: tiny for models up to 2,048 parameters and batches "
                            "up to 32, else tensor_parallel, materialized with clip_norm, "
                            "fused where these cannot; tensor_parallel for "
                            "--precision and --skip_zeros=yes"),
       .value_name = "NAME"});
  flags.Int("shards", &o->shards,
            {.help = "parts of the model for tensor_parallel (0: by its widths), of a batch for "
                     "thread_private, atomic, hogwild (0: as many as threads)",
             .min = 0,
             .max = 1024});
  flags.Choice("precision", &o->precision, Names(kernels::kPrecisions),
               {.help = "factors of tensor_parallel's products; sums, weights and the optimizer's "
                        "state are fp32. split3: fp32, with pixels by three bfloat16 terms, as "
                        "accurate; bf16x3: two terms, some 16 bits; bf16: 8 bits"});
  flags.Choice("amx", &o->amx, {"auto", "yes", "no"},
               {.help = "products of bfloat16 by the CPU's tiles, which add up in another order; "
                        "auto: where it has them. A saved model goes on as it began"});
  flags.Choice(
      "skip_zeros", &o->skip_zeros, {"auto", "yes", "no"},
      {.help = "tensor_parallel leaves out products with pixels that are 0; auto: if few are not, "
               "as with fp32 bits are the same. With bf16x3 and bf16 only the other layers' "
               "products are of bfloat16 then"});
  flags.Choice(
      "tune", &o->tune, {"auto", "off"},
      {.help = "auto: what flags leave open of isa, threads and skip_zeros is as `mlp tune` "
               "measured it, once, before the first training with tensor_parallel; MLP_TUNE=off "
               "in the environment does the same as off"});
  flags.Int("micro_batches", &o->micro_batches, {.help = "of accumulate", .min = 1});
  AddComputeFlags(flags, &o->compute);
  AddOutputFlags(flags, &o->output, /*with_progress=*/true);
  flags.String("out", &o->out,
               {.help = "where to save the model", .value_name = "FILE", .may_be_empty = false});
  flags.String("resume", &o->resume,
               {.help = absl::StrCat("model file to go on with; its settings hold where no flag is "
                                     "given, and these in any case: ",
                                     absl::StrJoin(kFixed, ", ")),
                .value_name = "FILE",
                .may_be_empty = false});
  flags.Bool("profile", &o->profile,
             "a table of what the steps' time goes into, and how near that is to what this machine "
             "can do, on stderr and in --json");
  flags.String("profile_out", &o->profile_out,
               {.help = "trace of the last steps, to open in https://ui.perfetto.dev; implies "
                        "--profile",
                .value_name = "FILE"});
  flags.Bool("force", &o->force, "replace --out and --profile_out whatever they are");
}

absl::StatusOr<TrainPlan> MakePlan(const flags::Flags& given, const TrainFlags& flags) {
  MLP_RETURN_IF_ERROR(CheckEffect(given, flags));
  TrainPlan plan;
  MLP_ASSIGN_OR_RETURN(plan.spec, model::ParseModelSpec(flags.model));
  train::TrainOptions& options = plan.options;
  options.epochs = flags.epochs;
  options.batch_size = flags.batch_size;
  options.last_batch = flags.last_batch == "keep" ? data::LastBatch::kKeep : data::LastBatch::kDrop;
  MLP_ASSIGN_OR_RETURN(options.optimizer.kind, kernels::ParseOptimizerKind(flags.optimizer));
  options.optimizer.learning_rate = flags.learning_rate;
  options.optimizer.weight_decay = flags.weight_decay;
  options.optimizer.momentum = flags.momentum;
  options.optimizer.rho = flags.rho;
  options.optimizer.beta1 = flags.beta1;
  options.optimizer.beta2 = flags.beta2;
  options.optimizer.epsilon = flags.epsilon;
  MLP_ASSIGN_OR_RETURN(options.schedule, optim::ToSchedule(flags));
  options.seed = flags.seed;
  options.validation = flags.validation;
  train::StrategyOptions& strategy = options.strategy;
  MLP_ASSIGN_OR_RETURN(const train::EvaluateOptions compute, Resolve(flags.compute));
  strategy.target = compute.target;
  strategy.math = compute.math;
  strategy.threads = compute.threads;
  if (flags.loss != "auto") {
    MLP_ASSIGN_OR_RETURN(plan.spec.loss, kernels::ParseLossKind(flags.loss));
  }
  train::StrategyKind kind = train::DefaultStrategy(
      strategy.target, {plan.spec, options.batch_size, data::HasPixels(flags.data.data)});
  if (flags.strategy != "auto") {
    MLP_ASSIGN_OR_RETURN(kind, train::ParseStrategyKind(flags.strategy));
  }
  const bool chosen = given.Given("strategy") && flags.strategy != "auto";
  if (!chosen && flags.clip_norm > 0 && !train::HoldsWholeGradient(kind)) {
    kind = train::StrategyKind::kMaterialized;
  }
  const std::string asked = AsksForTensorParallel(flags);
  if (flags.strategy == "auto" && !asked.empty()) {
    MLP_RETURN_IF_ERROR(CheckTensorParallel(asked, flags, strategy.target));
    kind = train::StrategyKind::kTensorParallel;
  }
  strategy.kind = kind;
  strategy.shards = flags.shards;
  if (flags.shards == 0) {
    // Written down, as sums depend on it: a resumed training keeps it on any number of threads.
    strategy.shards = train::DefaultShards(kind, plan.spec, strategy.threads);
  }
  MLP_ASSIGN_OR_RETURN(strategy.precision, kernels::ParsePrecision(flags.precision));
  if (flags.amx != "auto") strategy.amx = flags.amx == "yes";
  if (flags.skip_zeros != "auto") strategy.skip_zeros = flags.skip_zeros == "yes";
  if (!flags.profile_out.empty() && flags.profile_out == flags.out) {
    return absl::InvalidArgumentError(absl::StrCat("--profile_out: ", flags.profile_out,
                                                   " is also --out; give it a name of its own"));
  }
  strategy.micro_batches = flags.micro_batches;
  strategy.clip_norm = flags.clip_norm;
  return plan;
}

bool AsksForTuning(const TrainFlags& flags, const TrainPlan& plan) {
  const train::StrategyOptions& strategy = plan.options.strategy;
  if (flags.tune != "auto" || strategy.kind != train::StrategyKind::kTensorParallel) return false;
  return flags.compute.threads == 0 ||
         (!HasWords(strategy) && (flags.compute.isa == "auto" || flags.skip_zeros == "auto"));
}

void ApplyTuning(const TrainFlags& flags, const tune::Tuning& tuning, TrainPlan* plan) {
  train::StrategyOptions& strategy = plan->options.strategy;
  // Measured with single precision: of products of bfloat16 it says nothing.
  if (flags.compute.isa == "auto" && !HasWords(strategy)) strategy.target.isa = tuning.isa;
  if (flags.compute.threads == 0) strategy.threads = tuning.threads;
  strategy.skip_below = tuning.skip_below;
  plan->tuning = tuning;
}

model::Settings ToSettings(const TrainFlags& flags, const TrainPlan& plan) {
  const train::StrategyOptions& strategy = plan.options.strategy;
  return {{"data", flags.data.data},
          {"data_dir", flags.data.data_dir},
          {"epochs", absl::StrCat(flags.epochs)},
          {"batch_size", absl::StrCat(flags.batch_size)},
          {"last_batch", flags.last_batch},
          {"optimizer", flags.optimizer},
          {"learning_rate", Shortest(flags.learning_rate)},
          {"schedule", flags.schedule},
          {"decay", Shortest(flags.decay)},
          {"decay_every", absl::StrCat(flags.decay_every)},
          {"decay_to", Shortest(flags.decay_to)},
          {"warmup", Shortest(flags.warmup)},
          {"weight_decay", Shortest(flags.weight_decay)},
          {"momentum", Shortest(flags.momentum)},
          {"rho", Shortest(flags.rho)},
          {"beta1", Shortest(flags.beta1)},
          {"beta2", Shortest(flags.beta2)},
          {"epsilon", Shortest(flags.epsilon)},
          {"clip_norm", Shortest(flags.clip_norm)},
          {"seed", absl::StrCat(flags.seed)},
          {"validation", Shortest(flags.validation)},
          {"strategy", std::string(strategy.KindName())},
          {"shards", absl::StrCat(strategy.shards)},
          {"micro_batches", absl::StrCat(flags.micro_batches)},
          {"backend", std::string(kernels::Name(strategy.target.backend))},
          {"isa", IsScalar(strategy.target) ? "auto" : std::string(Name(strategy.target.isa))},
          {"math", flags.compute.math},
          {"precision", flags.precision},
          {"amx", HasWords(strategy) ? (train::UsesAmx(strategy) ? "yes" : "no") : "auto"}};
}

absl::Status AddSettings(const std::vector<std::string>& arguments, const model::SavedModel& saved,
                         flags::Flags& flags, TrainFlags* options) {
  const auto wrong = [&](absl::string_view setting, absl::string_view expected,
                         absl::string_view found, absl::string_view remedy) {
    return absl::InvalidArgumentError(absl::StrCat(options->resume, ": setting ", setting,
                                                   ": expected ", expected, ", found ", found, "; ",
                                                   remedy));
  };
  const model::Settings known = ToSettings({}, {});
  model::Settings settings = saved.info.settings;
  const auto backend = settings.find("backend");
  const auto isa = settings.find("isa");
  const bool own_target = flags.Given("backend") || flags.Given("isa");
  if (own_target) {
    // Half of a target makes no sense beside another half.
    settings.erase("backend");
    settings.erase("isa");
  } else if (backend != settings.end() && isa != settings.end()) {
    if (!kernels::ParseTarget(backend->second, "auto").ok()) {
      return wrong("backend", "one that this version knows",
                   absl::StrCat("\"", backend->second, "\""),
                   "use the version that wrote the file");
    }
    const auto target = kernels::ParseTarget(backend->second, isa->second);
    if (!target.ok()) {
      Note(options->output.quiet,
           absl::StrCat("trained with ", backend->second, "/", isa->second,
                        ", which this CPU lacks; from here on numbers differ in their last bits"));
      settings.erase("isa");
    }
  }
  if (flags.Given("precision") || own_target) {
    settings.erase("amx");
  } else if (const auto amx = settings.find("amx"); amx != settings.end() && amx->second == "yes" &&
                                                    !HasAmxBf16() && !flags.Given("amx")) {
    Note(options->output.quiet,
         "trained with AMX, which this CPU lacks; from here on numbers differ in their last bits");
    settings.erase(amx);
  }
  if (settings.contains("data") && flags.Given("data")) settings.erase("data_dir");

  std::vector<std::string> lines;
  for (const auto& [name, value] : settings) {
    if (!known.contains(name)) {
      return wrong(name, "one that this version knows", absl::StrCat("\"", value, "\""),
                   "use the version that wrote the file");
    }
    lines.push_back(absl::StrCat("--", name, "=", value));
  }
  if (const auto read = flags.Read(arguments, lines); !read.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options->resume, ": settings: ", read.status().message()));
  }
  if (flags.Given("model")) {
    MLP_ASSIGN_OR_RETURN(const model::ModelSpec spec, model::ParseModelSpec(options->model));
    if (!(spec == saved.model.spec())) {
      return wrong("model", model::Format(saved.model.spec()), options->model,
                   "leave --model out to go on with this file");
    }
  }
  if (flags.Given("loss") && options->loss != "auto" &&
      options->loss != Name(saved.model.spec().loss)) {
    return wrong("loss", Name(saved.model.spec().loss), options->loss,
                 "leave --loss out to go on with this file");
  }
  options->loss = std::string(Name(saved.model.spec().loss));
  options->model = model::Format(saved.model.spec());
  const model::Settings now = ToSettings(*options, {});
  for (const char* name : kFixed) {
    const auto was = settings.find(name);
    if (was != settings.end() && was->second != now.at(name)) {
      return wrong(name, was->second, now.at(name),
                   absl::StrCat("leave --", name, " out to go on with this file"));
    }
  }
  return absl::OkStatus();
}

}  // namespace mlp::cli
