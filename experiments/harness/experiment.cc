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
#include "experiments/harness/work.h"
#include "mlp/base/check.h"
#include "mlp/base/counted.h"
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
  if (!question_.own_data.empty()) options_.source.data = question_.own_data;
  AddFlags(flags_, question_.omitted_flags, /*any_data=*/question_.own_data.empty(), &options_);
  const std::string run = absl::StrCat("bazel run //experiments:", question_.name);
  flags_.Example(run);
  flags_.Example(absl::StrCat(run, " -- --data=", options_.source.data, " --budget=120"));
  flags_.Example(absl::StrCat(run, " -- --smoke --out=/tmp/mlp-smoke"));
}

std::optional<int> Experiment::Parse() {
  if (const auto exit_code = flags_.Parse(argc_, argv_)) return exit_code;
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

std::optional<double> Experiment::AskedWork() const {
  const auto given = [this](const char* flag) {
    return !question_.omitted_flags.contains(flag) && flags_.Given(flag);
  };
  if (options_.work > 0) return options_.work;
  if (question_.omitted_flags.contains("work") || options_.smoke || options_.repetitions > 0 ||
      given("epochs")) {
    return 1;
  }
  return std::nullopt;
}

record::Record Experiment::Head(const data::Dataset& dataset, std::optional<double> work) const {
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
  if (work) {
    set("work", *work);
    if (!question_.omitted_flags.contains("epochs")) {
      const Amount amount = AmountOf(*work, options_.epochs, dataset.train.size);
      head.config["epochs"] = static_cast<double>(amount.epochs);
      head.config["train_samples"] = static_cast<double>(amount.samples);
    }
  }
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

// Runs variants, each through the gate, and shows how far it is.
class Experiment::Course {
 public:
  Course(const Experiment& experiment, const data::Dataset& dataset)
      : experiment_(experiment),
        dataset_(dataset),
        train_(experiment.setup_.train),
        gate_([threads = train_.strategy.threads] { return ProbeSpeed(threads); },
              [this] { return timer_.Seconds(); }, experiment.options_.max_gate_s, kMostWaiting) {
    part_.name = dataset.name;
    part_.rows = dataset.rows;
    part_.cols = dataset.cols;
    part_.classes = dataset.classes;
    part_.sha256 = dataset.sha256;
  }

  double Seconds() const { return timer_.Seconds(); }

  // From now on runs do this part of the whole work.
  void SetWork(double work) {
    work_ = work;
    if (experiment_.question_.omitted_flags.contains("epochs")) return;
    const Amount amount = AmountOf(work, experiment_.options_.epochs, dataset_.train.size);
    train_.epochs = amount.epochs;
    if (amount.samples < dataset_.train.size) {
      part_.train = FirstSamples(dataset_.train, amount.samples);
      part_.test = FirstSamples(dataset_.test, dataset_.test.size);
    } else {
      part_.train = {};
    }
  }

  absl::Status Run(const Variant& variant, record::RunRecord& run) {
    const Gate::Seen seen = gate_.Wait();
    run.timings["gate_wait_s"] = {seen.wait_s};
    run.metrics["gate_speed_pct"] = seen.speed_pct;
    const data::Dataset& dataset = part_.train.size > 0 ? part_ : dataset_;
    const Session session(dataset, experiment_.setup_.model, train_, run.repetition,
                          experiment_.options_.smoke, work_);
    return variant.body(session, run);
  }

  // Measures a round with little work, and chooses how much the others do. Nothing after an
  // interruption.
  std::optional<double> ChooseWork() {
    SetWork(kPilotWork);
    const double budget_s = experiment_.options_.budget_s;
    const Timer timer;
    for (const Table& table : experiment_.tables_) {
      for (size_t i = 0; i < table.variants().size(); ++i) {
        const Variant& variant = table.variants()[i];
        if (flags::Interrupted()) return std::nullopt;
        // The first measurement is to take a small part of the time.
        if (!variant.skipped.empty() || timer.Seconds() > kMostPilot * budget_s) continue;
        Announce("first look", i, table.variants().size(), variant);
        record::RunRecord unused;
        unused.repetition = kPilotRepetition;
        // What fails will do so again, in a row of the record.
        Run(variant, unused).IgnoreError();
      }
    }
    bar_.reset();
    return FitWork(timer.Seconds(), budget_s - Seconds());
  }

  void Announce(const std::string& what, size_t index, size_t total, const Variant& variant) {
    if (experiment_.options_.output.quiet) return;
    if (index == 0 || !bar_) {
      bar_.emplace(absl::StrCat(experiment_.name(), " ", what), static_cast<int64_t>(total),
                   flags::ToProgressMode(experiment_.options_.output.progress));
    }
    bar_->Update(static_cast<int64_t>(index), variant.name);
  }

  absl::StatusOr<Outcome> RunAll(record::RecordWriter& writer) {
    const Options& options = experiment_.options_;
    const RoundHooks hooks = {
        .clock_s = [this] { return timer_.Seconds(); },
        .interrupted = flags::Interrupted,
        .measure = [this](const Variant& variant,
                          record::RunRecord& run) { return Run(variant, run); },
        .announce =
            [&](int round, size_t index, size_t total, const Variant& variant) {
              Announce(absl::StrFormat("round %d (%.0f s of %.0f s)", round + 1, timer_.Seconds(),
                                       options.budget_s),
                       index, total, variant);
            }};
    const std::vector<Table> tables(experiment_.tables_.begin(), experiment_.tables_.end());
    const auto outcome = RunRounds(tables,
                                   {.repetitions = options.repetitions,
                                    .max_rounds = options.max_rounds,
                                    .budget_s = options.budget_s - timer_.Seconds(),
                                    .seed = options.seed},
                                   hooks, writer);
    bar_.reset();
    return outcome;
  }

 private:
  static constexpr double kMostWaiting = 0.2;  // for a free machine, of the time
  static constexpr double kMostPilot = 0.25;   // of the budget
  // Its seed is no round's: experiments keep what they have computed for a seed.
  static constexpr int kPilotRepetition = 1'000'000;

  const Experiment& experiment_;
  const data::Dataset& dataset_;
  train::TrainOptions train_;
  data::Dataset part_;  // Instead of the whole, where runs do less than an epoch.
  double work_ = 1;
  const Timer timer_;
  Gate gate_;
  std::optional<flags::Progress> bar_;
};

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

  MLP_ASSIGN_OR_RETURN(const std::string out, OutputDirectory(options_.output, options_.smoke));
  std::optional<double> work = AskedWork();
  std::optional<record::RecordWriter> writer;
  if (options_.resume) {
    MLP_ASSIGN_OR_RETURN(writer, record::RecordWriter::Resume(out, Head(dataset, work)));
    if (!writer) {
      Say(absl::StrCat("nothing to resume in ", out,
                       " of these flags, sources and machine; beginning anew"));
    }
  }
  Course course(*this, dataset);
  if (writer) {
    if (writer->resumed() > 0) {
      Say(absl::StrCat("resumed, runs that are there: ", writer->resumed()));
    }
    const auto& config = writer->record().config;
    if (const auto done = config.find("work"); done != config.end()) {
      work = std::get<double>(done->second);
    }
  } else {
    if (!work) work = course.ChooseWork();
    if (!work) {
      absl::FPrintF(stderr, "%s: interrupted; nothing was measured yet\n", question_.name);
      return flags::kInterruptedExitCode;
    }
    MLP_ASSIGN_OR_RETURN(writer, record::RecordWriter::Open(out, Head(dataset, work)));
  }
  course.SetWork(work.value_or(1));
  MLP_ASSIGN_OR_RETURN(const Outcome outcome, course.RunAll(*writer));
  if (outcome.interrupted) {
    absl::FPrintF(stderr, "%s: interrupted; %s kept: the same command with --resume goes on\n",
                  question_.name, Counted(writer->finished().size(), "finished run"));
    return flags::kInterruptedExitCode;
  }
  if (outcome.over_budget) {
    writer->AddNote(absl::StrFormat(
        "%s took longer than the budget of %g s",
        Counted(static_cast<uint64_t>(outcome.rounds), "complete round"), options_.budget_s));
  }
  MLP_ASSIGN_OR_RETURN(const std::string path, writer->Commit());
  flags::PrintText(options_.output.json ? SummaryJson(writer->record(), path, outcome)
                                        : SummaryText(writer->record(), path, outcome));
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
