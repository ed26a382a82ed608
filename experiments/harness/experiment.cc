#include "experiments/harness/experiment.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "experiments/harness/gate.h"
#include "experiments/harness/rounds.h"
#include "experiments/harness/summary.h"
#include "experiments/harness/train.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/team.h"
#include "mlp/base/timer.h"
#include "mlp/data/load.h"
#include "mlp/flags/interrupt.h"
#include "mlp/flags/paths.h"
#include "mlp/flags/progress.h"
#include "mlp/kernels/target.h"
#include "mlp/record/environment.h"
#include "mlp/record/keys.h"
#include "mlp/record/writer.h"
#include "mlp/tune/tuning.h"

namespace mlp::experiments {
namespace {

namespace keys = record::keys;

constexpr size_t kWarmUpSteps = 50;

}  // namespace

Experiment::Experiment(int argc, const char* const* argv, Question question)
    : argc_(argc),
      argv_(argv),
      question_(std::move(question)),
      options_(question_.defaults),
      flags_(question_.name, question_.question) {
  AddFlags(flags_, question_.omitted_flags, &options_);
  const std::string run = absl::StrCat("bazel run //experiments:", question_.name);
  flags_.Example(run);
  flags_.Example(absl::StrCat(run, " -- --data=digits --budget=120"));
  flags_.Example(absl::StrCat(run, " -- --smoke --out=/tmp/mlp-smoke"));
}

std::optional<int> Experiment::Parse() {
  if (const auto exit_code = flags_.Parse(argc_, argv_)) return exit_code;
  if (!question_.own_data.empty()) options_.source.data = question_.own_data;
  if (options_.smoke) Shrink(&options_);
  absl::StatusOr<Setup> setup = Resolve(options_);
  if (!setup.ok()) return Refuse(setup.status());
  setup_ = *std::move(setup);
  return std::nullopt;
}

int Experiment::Refuse(const absl::Status& status) const {
  absl::FPrintF(stderr, "%s: %s\n", question_.name, std::string(status.message()));
  return 2;
}

Table& Experiment::AddTable(record::View view) { return tables_.emplace_back(std::move(view)); }

void Experiment::Say(const std::string& line) const {
  if (!options_.output.quiet) absl::FPrintF(stderr, "%s\n", line);
}

record::Record Experiment::Head(const data::Dataset& dataset) const {
  record::Record head = record::NewRecord(question_.name, question_.question);
  head.config = config_;
  const auto set = [&](const char* key, record::Scalar value) {
    if (!question_.omitted_flags.contains(key)) head.config[key] = std::move(value);
  };
  set(keys::kDataset, dataset.name);
  set("dataset_sha256", dataset.sha256);
  set("dataset_train_samples", static_cast<double>(dataset.train.size));
  set("dataset_test_samples", static_cast<double>(dataset.test.size));
  set("model", model::Format(setup_.model));
  set("epochs", static_cast<double>(options_.epochs));
  set("batch_size", static_cast<double>(options_.batch_size));
  set("optimizer", options_.optimizer);
  set("learning_rate", options_.learning_rate);
  set("seed", static_cast<double>(options_.seed));
  set("threads", static_cast<double>(setup_.train.strategy.threads));
  if (!question_.omitted_flags.contains("backend")) {
    head.config["target"] = kernels::Name(setup_.train.strategy.target);
  }
  if (!question_.omitted_flags.contains("math")) {
    head.config["math"] = options_.math;
    head.build.math = options_.math;
  }
  head.config["smoke"] = options_.smoke;
  head.config["tuning"] = setup_.tuning ? tune::Text(*setup_.tuning) : "none";
  head.notes.push_back(absl::StrCat("each round runs every variant once, in a random order (seed ",
                                    options_.seed, ")"));
  if (options_.threads > setup_.train.strategy.threads) {
    head.notes.push_back(absl::StrCat("--threads=", options_.threads, " was asked for; ",
                                      setup_.train.strategy.threads, " are available"));
  }
  if (tables_.size() == 1 && tables_.front().view().name.empty()) {
    head.presentation.all = tables_.front().view();
  } else {
    for (const Table& table : tables_) head.presentation.groups.push_back(table.view());
  }
  return head;
}

absl::StatusOr<int> Experiment::Measure() {
  data::Source source = options_.source;
  source.data_dir = flags::ResolvePath(source.data_dir);
  if (!data::IsNamed(source.data)) {
    source.data = flags::ResolvePath(source.data);
  }
  Say(absl::StrCat(question_.name, ": ", question_.question));
  MLP_ASSIGN_OR_RETURN(data::Dataset dataset, data::Load(source));
  dataset.name = options_.source.data;  // As the user calls it, wherever relative paths lead.

  // Threads started, clocks up, pages mapped; nothing of it is kept. What the flags ask for that
  // the data or the model cannot give comes to light here, before there is a record.
  const Session warm_up(dataset, setup_.model, setup_.train, 0, options_.smoke);
  record::RunRecord unused;
  const absl::Status warmed =
      TrainSteps(warm_up, warm_up.DefaultTrainOptions(), kWarmUpSteps, unused).status();
  if (absl::IsInvalidArgument(warmed)) return Refuse(warmed);
  // Other failures (a loss that is not finite) are those of variants, and rows of the record.

  const std::string out = OutputDirectory(options_.output, options_.smoke);
  MLP_ASSIGN_OR_RETURN(record::RecordWriter writer,
                       record::RecordWriter::Open(out, Head(dataset), options_.resume));
  if (writer.resumed() > 0) Say(absl::StrCat("resumed: ", writer.resumed(), " runs are there"));

  const Timer timer;
  const auto clock_s = [&timer] { return timer.Seconds(); };
  Gate gate([threads = setup_.train.strategy.threads] { return ProbeSpeed(threads); }, clock_s,
            options_.max_gate_s);
  std::optional<flags::Progress> bar;
  const RoundHooks hooks = {
      .clock_s = clock_s,
      .interrupted = flags::Interrupted,
      .measure =
          [&](const Variant& variant, record::RunRecord& run) {
            const Gate::Seen seen = gate.Wait();
            run.timings["gate_wait_s"] = {seen.wait_s};
            run.metrics["gate_speed_pct"] = seen.speed_pct;
            const Session session(dataset, setup_.model, setup_.train, run.repetition,
                                  options_.smoke);
            return variant.body(session, run);
          },
      .announce =
          [&](int round, size_t index, size_t total, const Variant& variant) {
            if (options_.output.quiet) return;
            if (index == 0 || !bar) {
              bar.emplace(absl::StrFormat("%s round %d (%.0f s of %.0f s)", question_.name,
                                          round + 1, clock_s(), options_.budget_s),
                          static_cast<int64_t>(total),
                          flags::ToProgressMode(options_.output.progress));
            }
            bar->Update(static_cast<int64_t>(index), variant.name);
          }};
  const RoundOptions round_options = {options_.repetitions, options_.max_rounds, options_.budget_s,
                                      options_.seed};
  const std::vector<Table> tables(tables_.begin(), tables_.end());
  MLP_ASSIGN_OR_RETURN(const Outcome outcome, RunRounds(tables, round_options, hooks, writer));
  bar.reset();
  if (outcome.interrupted) {
    absl::FPrintF(stderr,
                  "%s: interrupted; %d finished runs are kept: the same command with --resume "
                  "goes on\n",
                  question_.name, writer.finished().size());
    return flags::kInterruptedExitCode;
  }
  if (outcome.over_budget) {
    writer.AddNote(absl::StrFormat("%d complete rounds took longer than the budget of %g s",
                                   outcome.rounds, options_.budget_s));
  }
  MLP_ASSIGN_OR_RETURN(const std::string path, writer.Commit());
  flags::PrintText(options_.output.json ? SummaryJson(writer.record(), path, outcome)
                                        : SummaryText(writer.record(), path, outcome));
  if (outcome.failed.empty()) return 0;
  absl::FPrintF(stderr, "%s: failed variants: %s; see \"message\" in %s\n", question_.name,
                absl::StrJoin(outcome.failed, ", "), path);
  return 1;
}

int Experiment::Run() {
  MLP_CHECK(!tables_.empty());
  flags::CatchInterrupts();
  for (Table& table : tables_) table.Complete();
  const absl::StatusOr<int> exit_code = Measure();
  if (exit_code.ok()) return *exit_code;
  absl::FPrintF(stderr, "%s: %s\n", question_.name, std::string(exit_code.status().message()));
  return 1;
}

}  // namespace mlp::experiments
