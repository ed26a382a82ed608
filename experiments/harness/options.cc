#include "experiments/harness/options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "experiments/harness/work.h"
#include "mlp/base/names.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/team.h"
#include "mlp/kernels/target.h"
#include "mlp/kernels/update/update.h"
#include "mlp/tune/tuned.h"

namespace mlp::experiments {

void AddFlags(flags::Flags& flags, const std::set<std::string>& omitted, bool any_data,
              Options* o) {
  const auto has = [&omitted](const char* name) { return !omitted.contains(name); };
  flags.Group("Data and model");
  if (any_data) {
    flags.String("data", &o->source.data,
                 {.help = "digits, circles, mnist, or a directory with four IDX files",
                  .value_name = "DATA"});
  } else {
    flags.Choice("data", &o->source.data, {o->source.data}, {.help = "what it is about"});
  }
  flags.String("data_dir", &o->source.data_dir, {.help = data::kDataDirHelp, .value_name = "DIR"});
  if (has("model")) {
    flags.String("model", &o->model,
                 {.help = "widths from input to output, activations between them (relu if none)",
                  .value_name = "SPEC"});
  }
  flags.Group("Training");
  if (has("epochs")) {
    flags.Int("epochs", &o->epochs,
              {.help = "passes over the data; where it is not given, fewer as --work says",
               .min = 1,
               .max = 1000000});
  }
  if (has("batch_size")) {
    flags.Int("batch_size", &o->batch_size, {.help = "samples per update", .min = 1});
  }
  if (has("optimizer")) {
    flags.Choice("optimizer", &o->optimizer, Names(kernels::kOptimizerKinds),
                 {.help = "how weights follow gradients"});
  }
  if (has("learning_rate")) {
    flags.Double("learning_rate", &o->learning_rate, {.help = "step size", .min = 0});
  }
  flags.Int("seed", &o->seed,
            {.help = "of repetition 0; repetition r has seed + r, the same for all variants",
             .min = 0,
             .max = int64_t{1} << 62});
  flags.Group("Machine");
  flags.Int("threads", &o->threads, {.help = "0: all that this process may use", .min = 0});
  if (has("backend")) {
    flags.Choice("backend", &o->backend, {"auto", "scalar", "autovec", "eigen", "simd"},
                 {.help = "kernels"});
    flags.String("isa", &o->isa,
                 {.help = "auto, scalar, sse2, avx2, avx512", .value_name = "NAME"});
  }
  if (has("math")) flags.Choice("math", &o->math, {"fast", "exact"}, {.help = "functions"});
  flags.Group("Measuring");
  flags.Double("budget", &o->budget_s,
               {.help = "time for measuring: complete rounds are run while there is room",
                .unit = "s",
                .min = 0,
                .max = 1e6});
  if (has("work")) {
    flags.Double("work", &o->work,
                 {.help = absl::StrCat(
                      "part of the whole that each run does: of the epochs (below one, of "
                      "the samples) and of what is timed; 0: all with --repetitions",
                      has("epochs") ? " or --epochs" : "", ", else as much as leaves room for ",
                      kWantedRounds, " rounds, measured first"),
                  .min = 0,
                  .max = 1});
  }
  flags.Int("repetitions", &o->repetitions,
            {.help = "complete rounds, whatever the budget; 0: as the budget says",
             .min = 0,
             .max = 1000000});
  flags.Double(
      "gate", &o->max_gate_s,
      {.help = "longest wait for a free machine before one run; in all a fifth of the time",
       .unit = "s",
       .min = 0,
       .max = 3600});
  flags.Bool("smoke", &o->smoke, "only see that it works: little data, one round, few steps");
  AddOutputFlags(flags, &o->output);
  flags.Bool(
      "resume", &o->resume,
      "go on with the newest interrupted record of the same setup; the time of its runs counts "
      "as spent");
}

absl::StatusOr<Setup> Resolve(const Options& options) {
  Setup setup;
  MLP_ASSIGN_OR_RETURN(setup.model, model::ParseModelSpec(options.model));
  train::TrainOptions& train = setup.train;
  train.epochs = options.epochs;
  train.batch_size = options.batch_size;
  train.seed = options.seed;
  MLP_ASSIGN_OR_RETURN(train.optimizer.kind, kernels::ParseOptimizerKind(options.optimizer));
  train.optimizer.learning_rate = options.learning_rate;
  MLP_ASSIGN_OR_RETURN(train.strategy.target, kernels::ParseTarget(options.backend, options.isa));
  MLP_ASSIGN_OR_RETURN(train.strategy.math, kernels::ParseMathMode(options.math));
  train.strategy.threads = EffectiveThreads(options.threads);
  // A smoke test is the same everywhere.
  if (!options.smoke) setup.tuning = tune::Cached();
  if (setup.tuning) {
    train::StrategyOptions& strategy = train.strategy;
    strategy.skip_below = setup.tuning->skip_below;
    if (options.threads == 0) strategy.threads = setup.tuning->threads;
    const bool simd = strategy.target.backend == kernels::Backend::kSimd;
    if (simd && options.isa == "auto") strategy.target.isa = setup.tuning->isa;
  }
  return setup;
}

void Shrink(Options* options) {
  options->source.digits_train = 512;
  options->source.digits_test = 256;
  options->epochs = 1;
  options->batch_size = std::min<size_t>(options->batch_size, 64);
  if (options->repetitions == 0) options->repetitions = 1;
  options->max_gate_s = 0;
}

}  // namespace mlp::experiments
