#include "benchmarks/peers/contest.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"

namespace mlp::peers {
namespace {

constexpr size_t kLatencyRepetitions = 200;
constexpr double kForever = std::numeric_limits<double>::infinity();
// A turn ends early after so long: epochs of a second hardly notice how they begin.
constexpr double kTurnSeconds = 1;
// Who is slower by so much, twice, needs no further trial.
constexpr double kClearlySlower = 1.5;
// One thread has to gain so much: epochs of the same program differ by a few percent.
constexpr double kWorthOneThread = 1.1;

Json Op(const char* op) { return {{"op", op}}; }

absl::Status Named(const std::string& what, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(what, ": ", std::string(status.message())));
}

}  // namespace

std::string Again(const std::string& baseline) { return baseline + " (again)"; }

record::View MakeView(size_t batch_size, const std::string& baseline,
                      const std::vector<Contender>& contenders) {
  record::View view = {
      .name = absl::StrCat("batch_", batch_size),
      .title = absl::StrCat("Batch ", batch_size),
      .baseline = baseline,
      .baseline_again = Again(baseline),
      .primary = "timings.epoch_s",
      .columns = {"params.threads", "timings.predict_s", "metrics.epoch", "metrics.train_loss",
                  "metrics.test_accuracy", "metrics.rss_bytes"},
      .plots = {
          {.kind = "bars",
           .title = absl::StrCat("Speed of an epoch, batch ", batch_size, ", over ", baseline),
           .log_x = true}}};
  for (const Contender& contender : contenders) {
    view.variants.push_back(contender.name);
    if (contender.name == baseline) view.variants.push_back(Again(baseline));
  }
  return view;
}

Contest::Contest(ContestOptions options, std::vector<Contender> contenders)
    : options_(std::move(options)) {
  for (Contender& contender : contenders) {
    const bool is_baseline = entrants_.empty();
    Entrant& entrant = entrants_.emplace_back();
    entrant.skipped = contender.missing;
    entrant.contender = std::move(contender);
    if (is_baseline) {
      Entrant again;
      again.contender = entrant.contender;
      again.contender.name = Again(again.contender.name);
      again.skipped = entrant.skipped;
      entrants_.push_back(std::move(again));
    }
  }
}

absl::StatusOr<Json> Contest::Call(Entrant& entrant, const Json& request) const {
  return entrant.process->Call(request, options_.timeout_s, /*cancellable=*/preparing_);
}

// Trains, then evaluates: only the former is timed.
absl::StatusOr<Contest::Turn> Contest::Train(Entrant& entrant, size_t epochs) const {
  Turn turn;
  double seconds = 0;
  while (turn.epoch_s.size() < epochs && seconds < kTurnSeconds) {
    MLP_ASSIGN_OR_RETURN(const Json epoch, Call(entrant, Op("epoch")));
    absl::StatusOr<EpochAnswer> train = ParseEpochAnswer(epoch);
    if (!train.ok()) return Named("answer to epoch", train.status());
    turn.last.train = *train;
    turn.epoch_s.push_back(train->ms * 1e-3);
    seconds += turn.epoch_s.back();
    ++entrant.epochs;
  }
  MLP_ASSIGN_OR_RETURN(const Json evaluate, Call(entrant, Op("evaluate")));
  absl::StatusOr<EvaluateAnswer> test = ParseEvaluateAnswer(evaluate);
  if (!test.ok()) return Named("answer to evaluate", test.status());
  turn.last.test = *test;
  return turn;
}

absl::Status Contest::Start(Entrant& entrant, int threads) const {
  InitRequest job = options_.job;
  job.threads = threads;
  MLP_ASSIGN_OR_RETURN(entrant.process, Process::Start(entrant.contender.argv));
  MLP_ASSIGN_OR_RETURN(const Json answer, Call(entrant, ToJson(job)));
  absl::StatusOr<InitAnswer> about = ParseInitAnswer(answer);
  if (!about.ok()) return Named("answer to init", about.status());
  entrant.about = *std::move(about);
  return absl::OkStatus();
}

absl::Status Contest::Expect() {
  Entrant baseline;
  baseline.contender = entrants_.front().contender;
  MLP_RETURN_IF_ERROR(Start(baseline, options_.job.threads));
  while (expected_.size() < EpochsFor(options_.rounds, options_.turn_epochs)) {
    MLP_ASSIGN_OR_RETURN(const Turn turn, Train(baseline, 1));
    expected_.push_back(turn.last);
  }
  return absl::OkStatus();
}

absl::Status Contest::Prepare(Entrant& entrant) {
  MLP_RETURN_IF_ERROR(Start(entrant, options_.job.threads));
  MLP_ASSIGN_OR_RETURN(const Turn turn, Train(entrant, 1));
  const std::string reason =
      Disagreement(entrant.about.uses, options_.samples, turn.last, expected_.front(), 1);
  if (!reason.empty()) {
    entrant.skipped =
        absl::StrFormat("struck out %s; its epoch took %.3g s", reason, turn.epoch_s.front());
    entrant.process.reset();
    return absl::OkStatus();
  }
  const bool may_fit = options_.fit_threads && !entrant.contender.ours;
  return may_fit && entrant.about.uses.threads > 1 ? FitThreads(entrant) : absl::OkStatus();
}

// Small batches leave little to share: some libraries lose more by waiting than they gain.
absl::Status Contest::FitThreads(Entrant& entrant) {
  Entrant single;
  single.contender = entrant.contender;
  MLP_RETURN_IF_ERROR(Start(single, 1));
  MLP_RETURN_IF_ERROR(Train(single, 1).status());
  double best_s[2] = {kForever, kForever};  // of all threads, of one
  const auto is_clear = [&best_s] {
    const auto [least, most] = std::minmax(best_s[0], best_s[1]);
    return most > kClearlySlower * least;
  };
  for (uint32_t i = 0; i < kTrialEpochs && (i < 2 || !is_clear()); ++i) {
    Entrant* const two[2] = {&entrant, &single};
    for (size_t k = 0; k < 2; ++k) {
      record::RunRecord unused;
      options_.gate(unused);
      MLP_ASSIGN_OR_RETURN(const Turn turn, Train(*two[k], 1));
      best_s[k] = std::min(best_s[k], turn.epoch_s.front());
    }
  }
  // Everyone enters the contest after one epoch.
  single.process.reset();
  entrant.process.reset();
  entrant.epochs = 0;
  const bool is_faster_alone = best_s[0] > kWorthOneThread * best_s[1];
  MLP_RETURN_IF_ERROR(Start(entrant, is_faster_alone ? 1 : options_.job.threads));
  return Train(entrant, 1).status();
}

absl::Status Contest::Prepare() {
  const Contender& baseline = entrants_.front().contender;
  if (!baseline.missing.empty()) {
    return absl::NotFoundError(absl::StrCat(baseline.name, ": ", baseline.missing));
  }
  options_.say(absl::StrCat(baseline.name, ": what to expect"));
  if (const absl::Status status = Expect(); !status.ok()) return Named(baseline.name, status);
  for (Entrant& entrant : entrants_) {
    if (!entrant.skipped.empty()) continue;
    options_.say(entrant.contender.name);
    const absl::Status status = Prepare(entrant);
    if (absl::IsCancelled(status)) return status;
    if (!status.ok()) {
      entrant.failed = status;
      entrant.process.reset();
    }
  }
  preparing_ = false;
  return absl::OkStatus();
}

void Contest::Describe(const Entrant& entrant, record::RunRecord& run) const {
  const Uses& uses = entrant.about.uses;
  run.seed = options_.job.seed;
  run.params["batch_size"] = static_cast<double>(options_.job.batch_size);
  run.params["threads"] = static_cast<double>(uses.threads);
  run.params["same_order"] = uses.order;
  run.params["same_weights"] = uses.weights;
  run.params["ftz"] = uses.ftz;
  run.params["precision"] = uses.precision;
  run.params["optimizer"] = uses.optimizer;
  run.params["loss"] = uses.loss;
  if (!uses.checked) run.params["checked"] = false;
  if (!uses.note.empty()) run.params["note"] = uses.note;
  run.resolved = entrant.about.versions;
}

absl::Status Contest::Measure(const std::string& name, record::RunRecord& run) {
  const auto found = std::ranges::find(
      entrants_, name, [](const Entrant& entrant) { return entrant.contender.name; });
  MLP_CHECK(found != entrants_.end());
  Entrant& entrant = *found;
  Describe(entrant, run);
  MLP_RETURN_IF_ERROR(entrant.failed);
  options_.gate(run);
  MLP_ASSIGN_OR_RETURN(const Turn turn,
                       Train(entrant, entrant.contender.whole_turns ? 1 : options_.turn_epochs));
  const Figures& figures = turn.last;
  MLP_ASSIGN_OR_RETURN(
      const Json answer,
      Call(entrant, {{"op", "predict"}, {"rows", 1}, {"repetitions", kLatencyRepetitions}}));
  const absl::StatusOr<PredictAnswer> latency = ParsePredictAnswer(answer);
  if (!latency.ok()) return Named("answer to predict", latency.status());

  run.timings["epoch_s"] = turn.epoch_s;
  if (latency->us) run.timings["predict_s"] = {*latency->us * 1e-6};
  const auto note = [&run](const char* key, const std::optional<double>& value) {
    if (value) run.metrics[key] = *value;
  };
  note("train_loss", figures.train.loss);
  note("train_accuracy", figures.train.accuracy);
  note("test_loss", figures.test.loss);
  note("test_accuracy", figures.test.accuracy);
  run.metrics["epoch"] = static_cast<double>(entrant.epochs);
  run.metrics["rss_bytes"] = static_cast<double>(figures.train.rss_bytes);

  const std::string reason = Disagreement(entrant.about.uses, options_.samples, figures,
                                          expected_[entrant.epochs - 1], entrant.epochs);
  if (!reason.empty()) {
    run.status = record::RunStatus::kSkipped;
    run.message = absl::StrCat("struck out ", reason);
  }
  return absl::OkStatus();
}

experiments::Table Contest::MakeTable() const {
  std::vector<Contender> contenders;
  for (const Entrant& entrant : entrants_) contenders.push_back(entrant.contender);
  contenders.erase(contenders.begin() + 1);  // The view adds it.
  experiments::Table table(MakeView(options_.job.batch_size, contenders.front().name, contenders));
  table.OmitBaselineAgain();  // It is an entrant, with a process of its own.
  for (const Entrant& entrant : entrants_) {
    table.Add({.name = entrant.contender.name,
               .params = {},
               .body = nullptr,
               .skipped = entrant.skipped});
  }
  table.Complete();
  return table;
}

}  // namespace mlp::peers
