// `mlp train`: from data to a model file.
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mlp/base/counted.h"
#include "mlp/base/profile.h"
#include "mlp/base/status_macros.h"
#include "mlp/cli/commands.h"
#include "mlp/cli/console.h"
#include "mlp/cli/train_flags.h"
#include "mlp/cli/train_profile.h"
#include "mlp/cli/train_report.h"
#include "mlp/data/dataset.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/interrupt.h"
#include "mlp/flags/paths.h"
#include "mlp/io/replace.h"
#include "mlp/model/model.h"
#include "mlp/model/model_file.h"
#include "mlp/model/spec.h"
#include "mlp/train/needed_memory.h"
#include "mlp/train/trainer.h"
#include "mlp/tune/tuned.h"

namespace mlp::cli {
namespace {

constexpr absl::string_view kCommand = "mlp train";

model::DatasetIdentity IdentityOf(const data::Dataset& dataset) {
  return {dataset.name, dataset.sha256, dataset.rows, dataset.cols, dataset.classes};
}

// Resumed on other data, numbers would be those of neither training.
absl::Status CheckSameData(const std::string& file, const model::DatasetIdentity& expected,
                           const data::Dataset& found) {
  if (expected.sha256 == found.sha256) return absl::OkStatus();
  const auto show = [](absl::string_view name, absl::string_view sha256) {
    return absl::StrCat(name, " (SHA-256 ", sha256.substr(0, 12), "...)");
  };
  return absl::FailedPreconditionError(
      absl::StrCat(file, ": dataset: expected ", show(expected.name, expected.sha256), ", found ",
                   show(found.name, found.sha256), "; name the --data that it was trained on"));
}

void NoteInterruption(const TrainFlags& flags, const model::TrainingState& state) {
  const std::string where = absl::StrCat("interrupted after ", Counted(state.epochs_done, "epoch"),
                                         " and ", Counted(state.steps_done, "step"), "; ");
  Note(flags.output.quiet,
       flags.out.empty()
           ? absl::StrCat(where, "nothing is saved, as there is no --out")
           : absl::StrCat(where, "saved ", flags.out, ", go on with mlp train --resume=", flags.out,
                          " --out=", flags.out));
}

// The profile in words on stderr, unless --quiet, and as a trace, where that is asked for. Returns
// it as JSON.
absl::StatusOr<Json> TellProfile(const TrainFlags& flags, const Profile& profile,
                                 const TrainPlan& plan, const TrainReport& report) {
  const ProfileReport words(profile, plan.options.strategy, report.steps(), report.step_seconds());
  if (!flags.output.quiet) std::fputs(words.Table().c_str(), stderr);
  Json document = words.Document();
  document["trace"] = nullptr;
  if (!flags.profile_out.empty()) {
    MLP_RETURN_IF_ERROR(words.WriteTrace(flags::ResolvePath(flags.profile_out)));
    document["trace"] = flags.profile_out;
  }
  return document;
}

int Run(const TrainFlags& flags, TrainPlan plan, std::optional<model::SavedModel> saved) {
  NoteThreads(flags.compute, plan.options.strategy.threads, flags.output);
  const std::string out = flags::ResolvePath(flags.out);
  if (!out.empty()) {
    // Known before the work, not after it.
    const absl::Status status = io::CheckReplaceable(out, model::kModelFile, flags.force);
    if (!status.ok()) return Fail(status);
  }
  const std::string trace = flags::ResolvePath(flags.profile_out);
  if (!trace.empty()) {
    const absl::Status status = io::CheckReplaceable(trace, kTraceFile, flags.force);
    if (!status.ok()) return Fail(status);
  }
  // The test part is read once, after training, which packed pixels are good enough for.
  const absl::StatusOr<data::Dataset> dataset =
      LoadData(flags.data, train::PackBelow(plan.options.strategy, plan.options.optimizer),
               /*pack_test_below=*/data::kPackBelow);
  if (!dataset.ok()) return Fail(dataset.status());
  if (saved) {
    const absl::Status status = CheckSameData(flags.resume, saved->info.dataset, *dataset);
    if (!status.ok()) return Fail(status);
  }

  const absl::Status room = train::CheckMemory(plan.spec, plan.options, *dataset);
  if (!room.ok()) return Fail(room);
  model::Model model = saved ? std::move(saved->model) : model::Model(plan.spec, plan.options.seed);
  std::optional<Profile> profile;
  if (flags.profile || !trace.empty()) {
    profile.emplace(plan.options.strategy.threads, plan.spec.layers.size());
    plan.options.strategy.profile = &*profile;
  }
  absl::StatusOr<train::Trainer> trainer = train::Trainer::Create(plan.options, *dataset, model);
  if (!trainer.ok()) return RefuseUse(kCommand, trainer.status());
  if (saved) {
    const absl::Status status = trainer->Resume(saved->info.training);
    if (!status.ok()) {
      return Fail(absl::DataLossError(absl::StrCat(flags.resume, ": training: ", status.message(),
                                                   "; name a file that `mlp train` wrote")));
    }
    saved.reset();
    if (trainer->epochs_done() >= plan.options.epochs) {
      Note(flags.output.quiet,
           absl::StrCat(flags.resume, " has ", Counted(trainer->epochs_done(), "epoch"),
                        ": nothing is left to train; raise --epochs"));
    }
  }

  TrainReport report(flags, plan, *dataset, *trainer);
  const auto epochs = trainer->Train(&report);
  report.FinishProgress();
  if (!epochs.ok()) return Fail(epochs.status());
  std::optional<train::Evaluation> test;
  if (!trainer->stopped()) {
    test = trainer->Test();
    const absl::Status status = train::CheckFiniteLoss(
        absl::StrCat("epoch ", trainer->epochs_done(), ", test part"), test->loss);
    if (!status.ok()) return Fail(status);
  }
  if (!out.empty()) {
    const absl::Status status = model::SaveModel(
        out, model, {IdentityOf(*dataset), ToSettings(flags, plan), trainer->state()}, flags.force);
    if (!status.ok()) return Fail(status);
  }
  Json told;
  if (profile) {
    absl::StatusOr<Json> document = TellProfile(flags, *profile, plan, report);
    if (!document.ok()) return Fail(document.status());
    told = *std::move(document);
  }
  report.Finish(test, /*interrupted=*/trainer->stopped(), told);
  if (!trainer->stopped()) return kDone;
  NoteInterruption(flags, trainer->state());
  return kInterrupted;
}

}  // namespace

int Train(int argc, const char* const* argv) {
  flags::Flags flags(std::string(kCommand), "trains a model on labelled pictures.");
  TrainFlags options;
  AddTrainFlags(flags, &options);
  flags.Example("mlp train --epochs=3 --out=digits.mlp");
  flags.Example("mlp train --model=784-64-tanh-10 --optimizer=sgd --learning_rate=0.1");
  flags.Example("mlp train --epochs=1 --profile --profile_out=trace.json");
  flags.Example("mlp train --resume=digits.mlp --epochs=5 --out=digits.mlp");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;

  std::optional<model::SavedModel> saved;
  if (!options.resume.empty()) {
    absl::StatusOr<model::SavedModel> loaded = model::LoadModel(flags::ResolvePath(options.resume));
    if (!loaded.ok()) return Fail(loaded.status());
    saved = *std::move(loaded);
    const absl::Status status = AddSettings({argv + 1, argv + argc}, *saved, flags, &options);
    if (!status.ok()) return RefuseUse(kCommand, status);
  }
  absl::StatusOr<TrainPlan> plan = MakePlan(flags, options);
  if (!plan.ok()) return RefuseUse(kCommand, plan.status());
  flags::CatchInterrupts();
  if (AsksForTuning(options, *plan)) {
    std::string note;
    const std::optional<tune::Tuning> tuning = tune::CachedOrMeasured(&note);
    if (!note.empty()) Note(options.output.quiet, note);
    if (tuning) ApplyTuning(options, *tuning, &*plan);
  }
  return Run(options, *plan, std::move(saved));
}

}  // namespace mlp::cli
