// The same training in other people's software, side by side with ours in one run.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "benchmarks/peers/check_model.h"
#include "benchmarks/peers/contenders.h"
#include "benchmarks/peers/contest.h"
#include "benchmarks/peers/job_files.h"
#include "benchmarks/peers/summary.h"
#include "experiments/harness/gate.h"
#include "experiments/harness/output.h"
#include "experiments/harness/rounds.h"
#include "experiments/harness/summary.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/team.h"
#include "mlp/base/timer.h"
#include "mlp/data/load.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/interrupt.h"
#include "mlp/flags/paths.h"
#include "mlp/flags/program.h"
#include "mlp/flags/progress.h"
#include "mlp/model/spec.h"
#include "mlp/record/environment.h"
#include "mlp/record/keys.h"
#include "mlp/record/writer.h"
#include "mlp/tune/tuned.h"

namespace mlp::peers {
namespace {

namespace keys = record::keys;

constexpr char kQuestion[] = "How fast is the same training in other people's software?";

struct Options {
  data::Source source = {.needs_pixels = true};  // Peers are given pictures.
  std::string model = "784-128-128-128-10";
  double learning_rate = 1e-3;
  uint64_t seed = 1;
  int threads = 0;
  std::vector<int64_t> batch_sizes = {32, 64, 128, 256};
  std::vector<std::string> peers;
  std::vector<std::string> peer;
  std::vector<std::string> command;
  int rounds = 7;
  size_t turn_epochs = 3;
  bool fit_threads = true;
  double max_gate_s = 3;
  double timeout_s = 900;
  bool list = false;
  bool smoke = false;
  experiments::OutputOptions output;
};

void AddFlags(flags::Flags& flags, Options* o) {
  flags.Group("Data and model");
  flags.String("data", &o->source.data,
               {.help = "digits, mnist, or a directory with four IDX files", .value_name = "DATA"});
  flags.String("data_dir", &o->source.data_dir, {.help = data::kDataDirHelp, .value_name = "DIR"});
  flags.String("model", &o->model,
               {.help = "widths from input to output, relu between", .value_name = "SPEC"});
  flags.Group("Training");
  flags.IntList("batch_sizes", &o->batch_sizes, {.help = "samples per update", .min = 1});
  flags.Double("learning_rate", &o->learning_rate, {.help = "of Adam", .min = 0});
  flags.Int("seed", &o->seed,
            {.help = "of initial weights, order of the samples, order of the contenders",
             .min = 0,
             .max = int64_t{1} << 62});
  flags.Group("Machine");
  flags.Int("threads", &o->threads, {.help = "0: all that this process may use", .min = 0});
  flags.Group("Contenders");
  flags.StringList("peers", &o->peers,
                   {.help = "only these beside ours (torch: all of torch/...); empty: all",
                    .value_name = "NAME"});
  flags.StringList("peer", &o->peer,
                   {.help = "one more: a program that speaks the protocol of "
                            "benchmarks/peers/README.md, or our own mlp with other flags",
                    .value_name = "NAME=COMMAND"});
  flags.StringList(
      "command", &o->command,
      {.help = "one more: a program that trains {epochs} epochs and prints how many ms "
               "one took; {data}, {model}, {batch}, {threads}, {seed} and "
               "{learning_rate} are filled in too; its result is not checked",
       .value_name = "NAME=COMMAND"});
  flags.Bool("list", &o->list, "only list the contenders");
  flags.Group("Measuring");
  flags.Int("rounds", &o->rounds,
            {.help = "turns of each contender, after one epoch that is not measured",
             .min = 1,
             .max = 10000});
  flags.Int("turn_epochs", &o->turn_epochs,
            {.help = "epochs of a turn, of which the median counts; a turn ends early after 1 s",
             .min = 1,
             .max = 1000});
  flags.Bool("fit_threads", &o->fit_threads,
             "give a peer one thread where that is clearly faster than --threads");
  flags.Double("gate", &o->max_gate_s,
               {.help = "longest wait for a free machine before one epoch",
                .unit = "s",
                .min = 0,
                .max = 3600});
  flags.Double("timeout", &o->timeout_s,
               {.help = "longest wait for an answer", .unit = "s", .min = 1, .max = 1e6});
  flags.Bool("smoke", &o->smoke, "only see that it works: little data, one round, batch 64");
  experiments::AddOutputFlags(flags, &o->output);
  flags.Example("bazel run //benchmarks/peers:compare -- --list");
  flags.Example("bazel run //benchmarks/peers:compare -- --data=mnist --batch_sizes=128");
  flags.Example(
      "bazel run //benchmarks/peers:compare -- --peers=eigen,jax --peer=\"avx2=mlp "
      "--isa=avx2\"");
}

int Fail(const absl::Status& status, int exit_code) {
  absl::FPrintF(stderr, "compare: %s\n", std::string(status.message()));
  return exit_code;
}

// Each is a table of its own.
absl::Status CheckBatchSizes(std::vector<int64_t> sizes) {
  if (sizes.empty()) {
    return absl::InvalidArgumentError(
        "--batch_sizes: expected one at least, found none; leave the flag out, or name some");
  }
  std::ranges::sort(sizes);
  const auto twice = std::ranges::adjacent_find(sizes);
  if (twice == sizes.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--batch_sizes: expected each once, found ",
                                                 *twice, " more often; name it once"));
}

// Sleeps until this process's own threads do: OpenMP's spin for some milliseconds after the gate's
// probe, and would take a core from the contender.
void RestOwnThreads() {
  const auto cpu_s = [] {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  for (int i = 0; i < 100; ++i) {
    const double before = cpu_s();
    usleep(2000);
    if (cpu_s() - before < 2e-4) return;
  }
}

class Driver {
 public:
  Driver(const Options& options, model::ModelSpec spec, std::vector<Contender> contenders)
      : options_(options),
        spec_(std::move(spec)),
        contenders_(std::move(contenders)),
        threads_(EffectiveThreads(options.threads)),
        gate_([this] { return experiments::ProbeSpeed(threads_); },
              [this] { return timer_.Seconds(); }, options.max_gate_s) {}

  absl::StatusOr<int> Run() {
    data::Source source = options_.source;
    source.data_dir = flags::ResolvePath(source.data_dir);
    if (!data::IsNamed(source.data)) source.data = flags::ResolvePath(source.data);
    Say(kQuestion);
    MLP_ASSIGN_OR_RETURN(data::Dataset dataset, data::Load(source));
    dataset.name = options_.source.data;  // As the user calls it, wherever relative paths lead.
    if (const absl::Status status = CheckModel(spec_, dataset); !status.ok()) {
      return Fail(absl::InvalidArgumentError(absl::StrCat("--", status.message())), 2);
    }
    MLP_ASSIGN_OR_RETURN(const JobFiles files,
                         JobFiles::Write(dataset, spec_, options_.seed,
                                         EpochsFor(options_.rounds, options_.turn_epochs)));
    MLP_ASSIGN_OR_RETURN(const std::string out,
                         experiments::OutputDirectory(options_.output, options_.smoke));
    MLP_ASSIGN_OR_RETURN(record::RecordWriter writer,
                         record::RecordWriter::Open(out, Head(dataset)));
    experiments::Outcome all;
    for (const int64_t batch_size : options_.batch_sizes) {
      MLP_ASSIGN_OR_RETURN(const experiments::Outcome outcome,
                           RunBatchSize(static_cast<size_t>(batch_size), dataset, files, writer));
      all.rounds += outcome.rounds;
      all.skipped += outcome.skipped;
      all.interrupted |= outcome.interrupted;
      all.failed = outcome.failed;  // Collected from the record: of all batch sizes so far.
      if (all.interrupted) break;
    }
    if (all.interrupted) {
      writer.AddNote("interrupted: later rounds and batch sizes are missing");
      if (writer.finished().empty()) return flags::kInterruptedExitCode;
    }
    MLP_ASSIGN_OR_RETURN(const std::string path, writer.Commit());
    flags::PrintText(options_.output.json ? experiments::SummaryJson(writer.record(), path, all)
                                          : absl::StrCat(SummaryText(writer.record(), Ours()),
                                                         "record: ", path, "\n"));
    if (all.interrupted) return flags::kInterruptedExitCode;
    if (all.failed.empty()) return 0;
    absl::FPrintF(stderr, "compare: failed: %s; see \"message\" in %s\n",
                  absl::StrJoin(all.failed, ", "), path);
    return 1;
  }

 private:
  void Say(const std::string& line) const {
    if (!options_.output.quiet) absl::FPrintF(stderr, "%s\n", line);
  }

  std::vector<std::string> Ours() const {
    std::vector<std::string> names;
    for (const Contender& contender : contenders_) {
      if (contender.ours) names.push_back(contender.name);
    }
    return names;
  }

  record::Record Head(const data::Dataset& dataset) const {
    record::Record head = record::NewRecord("peers", kQuestion);
    head.config[keys::kDataset] = dataset.name;
    head.config["dataset_sha256"] = dataset.sha256;
    head.config["dataset_train_samples"] = static_cast<double>(dataset.train.size);
    head.config["dataset_test_samples"] = static_cast<double>(dataset.test.size);
    head.config["model"] = model::Format(spec_);
    head.config["optimizer"] = "adam";
    head.config["learning_rate"] = options_.learning_rate;
    head.config["seed"] = static_cast<double>(options_.seed);
    head.config["threads"] = static_cast<double>(threads_);
    head.config["rounds"] = static_cast<double>(options_.rounds);
    head.config["turn_epochs"] = static_cast<double>(options_.turn_epochs);
    head.config["smoke"] = options_.smoke;
    const std::optional<tune::Tuning> tuning = tune::Cached();
    head.config["tuning"] = tuning ? tune::Text(*tuning) : "none";
    head.notes = {
        absl::StrCat("each contender is a process of its own, stopped while another one trains; "
                     "each round times up to ",
                     options_.turn_epochs, " epochs of everyone, in a random order"),
        "a contender whose loss or accuracy is not ours is struck out; one that prints times alone "
        "is listed, but not checked",
        "mlp/dense: this project, multiplying all pixels, as the others do; mlp: leaving out "
        "pixels that are 0; mlp/bf16: factors of bfloat16; mlp/layerwise: the strategy fused",
        "jax/step: a call into compiled code for each step; jax/scan: one for each epoch"};
    if (options_.fit_threads) {
      head.notes.push_back("a peer that is clearly faster on one thread has one");
    }
    if (options_.threads > threads_) {
      head.notes.push_back(absl::StrCat("--threads=", options_.threads, " was asked for; ",
                                        threads_, " are available"));
    }
    for (const int64_t batch_size : options_.batch_sizes) {
      head.presentation.groups.push_back(
          MakeView(static_cast<size_t>(batch_size), contenders_.front().name, contenders_));
    }
    return head;
  }

  absl::StatusOr<experiments::Outcome> RunBatchSize(size_t batch_size, const data::Dataset& dataset,
                                                    const JobFiles& files,
                                                    record::RecordWriter& writer) {
    const std::string label = absl::StrCat("batch ", batch_size);
    const flags::ProgressMode mode = flags::ToProgressMode(options_.output.progress);
    const auto total = static_cast<int64_t>(contenders_.size()) + 2;  // The oracle, the A/A pair.
    std::optional<flags::Progress> bar;
    if (!options_.output.quiet) bar.emplace(absl::StrCat(label, ": first epochs"), total, mode);
    int64_t prepared = 0;
    Contest contest({.job = {.data = files.directory(),
                             .model = model::Format(spec_),
                             .batch_size = batch_size,
                             .threads = threads_,
                             .seed = options_.seed,
                             .learning_rate = options_.learning_rate,
                             .order = files.order(),
                             .weights = files.weights()},
                     .samples = {dataset.train.size, dataset.test.size},
                     .rounds = options_.rounds,
                     .turn_epochs = options_.turn_epochs,
                     .fit_threads = options_.fit_threads,
                     .timeout_s = options_.timeout_s,
                     .gate =
                         [this](record::RunRecord& run) {
                           const experiments::Gate::Seen seen = gate_.Wait();
                           run.timings["gate_wait_s"] = {seen.wait_s};
                           run.metrics["gate_speed_pct"] = seen.speed_pct;
                           RestOwnThreads();
                         },
                     .say =
                         [&](const std::string& who) {
                           if (bar) bar->Update(prepared++, who);
                         }},
                    contenders_);
    if (const absl::Status status = contest.Prepare(); absl::IsCancelled(status)) {
      return experiments::Outcome{.interrupted = true};
    } else if (!status.ok()) {
      return status;
    }
    const experiments::RoundHooks hooks = {
        .clock_s = [this] { return timer_.Seconds(); },
        .interrupted = flags::Interrupted,
        .measure = [&](const experiments::Variant& variant,
                       record::RunRecord& run) { return contest.Measure(variant.name, run); },
        .announce =
            [&](int round, size_t index, size_t entries, const experiments::Variant& variant) {
              if (options_.output.quiet) return;
              if (index == 0 || !bar) {
                bar.emplace(
                    absl::StrFormat("%s: round %d of %d", label, round + 1, options_.rounds),
                    static_cast<int64_t>(entries), mode);
              }
              bar->Update(static_cast<int64_t>(index), variant.name);
            }};
    return experiments::RunRounds(
        {contest.MakeTable()},
        {.repetitions = options_.rounds, .max_rounds = options_.rounds, .seed = options_.seed},
        hooks, writer);
  }

  const Options& options_;
  const model::ModelSpec spec_;
  const std::vector<Contender> contenders_;
  const int threads_;
  const Timer timer_;
  experiments::Gate gate_;
};

absl::StatusOr<std::vector<Contender>> Contenders(const Options& options,
                                                  const std::string& program) {
  const Places places = FindPlaces(program);
  MLP_ASSIGN_OR_RETURN(std::vector<Contender> contenders, Choose(BuiltIn(places), options.peers));
  const auto add = [&](const char* flag, absl::StatusOr<Contender> contender) {
    if (!contender.ok()) return contender.status();
    for (const Contender& other : contenders) {
      if (other.name != contender->name && Again(other.name) != contender->name) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(flag, ": expected a name of its own, found ", contender->name));
    }
    contenders.push_back(*std::move(contender));
    return absl::OkStatus();
  };
  for (const std::string& text : options.peer) {
    MLP_RETURN_IF_ERROR(add("--peer", ParseContender(text, places)));
  }
  for (const std::string& text : options.command) {
    MLP_RETURN_IF_ERROR(add("--command", ParseCommand(text, options.turn_epochs, places)));
  }
  return contenders;
}

int Main(int argc, char** argv) {
  Options options;
  flags::Flags flags("compare", kQuestion);
  AddFlags(flags, &options);
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;
  if (const absl::Status status = CheckBatchSizes(options.batch_sizes); !status.ok()) {
    return Fail(status, 2);
  }
  if (options.smoke) {
    options.source.digits_train = 512;
    options.source.digits_test = 256;
    options.batch_sizes = {64};
    options.rounds = 1;
    options.turn_epochs = 1;
    options.max_gate_s = 0;
  }
  if (!data::HasPixels(options.source.data)) return Fail(data::Load(options.source).status(), 2);
  absl::StatusOr<model::ModelSpec> spec = model::ParseModelSpec(options.model);
  if (!spec.ok()) return Fail(spec.status(), 2);
  absl::StatusOr<std::vector<Contender>> contenders = Contenders(options, argv[0]);
  if (!contenders.ok()) return Fail(contenders.status(), 2);
  if (options.list) {
    for (const Contender& contender : *contenders) {
      absl::PrintF("%-20s %s\n", contender.name,
                   contender.missing.empty() ? "ready" : contender.missing);
    }
    return 0;
  }
  flags::CatchInterrupts();
  const absl::StatusOr<int> exit_code =
      Driver(options, *std::move(spec), *std::move(contenders)).Run();
  return exit_code.ok() ? *exit_code : Fail(exit_code.status(), 1);
}

}  // namespace
}  // namespace mlp::peers

int main(int argc, char** argv) {
  return mlp::flags::RunMain("compare", [&] { return mlp::peers::Main(argc, argv); });
}
