#include "mlp/cli/train_report.h"

#include <sys/resource.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mlp/base/counted.h"
#include "mlp/flags/interrupt.h"
#include "mlp/kernels/target.h"
#include "mlp/kernels/update/update.h"
#include "mlp/model/spec.h"
#include "mlp/optim/schedule.h"
#include "mlp/train/strategies/strategy.h"

namespace mlp::cli {
namespace {

constexpr double kDrawEvery_s = 0.1;

// Samples from where the trainer stands to the end; the last batch counted as a full one.
int64_t SamplesLeft(const train::Trainer& trainer, const data::Dataset& dataset) {
  const size_t epochs = trainer.options().epochs;
  if (epochs <= trainer.epochs_done()) return 0;
  const size_t steps =
      (epochs - trainer.epochs_done()) * trainer.steps_per_epoch() - trainer.state().steps_done;
  return static_cast<int64_t>(steps * std::min(trainer.options().batch_size, dataset.train.size));
}

uint64_t PeakResidentBytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;  // it counts KiB
}

std::string IsaName(const kernels::Target& target) {
  return std::string(target.backend == kernels::Backend::kScalar ? Name(target.backend)
                                                                 : Name(target.isa));
}

std::string ScheduleText(const optim::ScheduleOptions& schedule) {
  std::string text;
  if (schedule.warmup > 0)
    absl::StrAppend(&text, ", warm-up of ", schedule.warmup,
                    schedule.warmup == 1 ? " epoch" : " epochs");
  if (schedule.kind != optim::ScheduleKind::kConstant) {
    absl::StrAppend(&text, ", ", Name(schedule.kind), " schedule");
  }
  return text;
}

Json EpochJson(const train::EpochSummary& epoch) {
  Json json = {{"epoch", epoch.epoch},
               {"seconds", epoch.seconds},
               {"learning_rate", epoch.learning_rate},
               {"train_loss", epoch.train_loss},
               {"train_accuracy", epoch.train_accuracy},
               {"samples_per_second", epoch.samples_per_second()}};
  if (epoch.validation) {
    json["validation_loss"] = epoch.validation->loss;
    json["validation_accuracy"] = epoch.validation->accuracy;
  }
  return json;
}

}  // namespace

TrainReport::TrainReport(const TrainFlags& flags, const TrainPlan& plan,
                         const data::Dataset& dataset, const train::Trainer& trainer)
    : flags_(flags),
      plan_(plan),
      dataset_(dataset),
      trainer_(trainer),
      progress_("train", SamplesLeft(trainer, dataset),
                flags.output.quiet ? flags::ProgressMode::kNever
                                   : flags::ToProgressMode(flags.output.progress)) {
  if (flags.output.json) return;
  const train::StrategyOptions& strategy = trainer.options().strategy;
  const int threads = train::BusyThreads(strategy);
  PrintText(absl::StrFormat(
      "%s: %d training and %d test %s\n"
      "%s: %d parameters, %s, %s%s, %s, %s, %s, %s%s%s\n"
      "epoch  seconds  train loss  train accuracy  %ssamples/s\n",
      dataset.name, dataset.train.size, dataset.test.size,
      dataset.train.has_pixels()
          ? absl::StrFormat("pictures of %d x %d", dataset.rows, dataset.cols)
          : absl::StrFormat("samples of %d values", dataset.train.features),
      model::Format(plan.spec), plan.spec.parameter_count(), kernels::Name(plan.spec.loss),
      kernels::Name(plan.options.optimizer.kind), ScheduleText(plan.options.schedule),
      strategy.KindName(), kernels::Name(strategy.precision), kernels::Name(strategy.target),
      Counted(static_cast<uint64_t>(threads), "thread"),
      strategy.skip_zeros.value_or(false) ? ", zero pixels skipped" : "",
      strategy.columns.empty() ? ""
                               : absl::StrFormat(", %d of %d inputs in use",
                                                 strategy.columns.size(), dataset.train.features),
      plan.options.validation > 0 ? "validation loss  validation accuracy  " : ""));
}

train::Next TrainReport::OnStep(const train::StepSummary& step) {
  sum_ += step.result;
  steps_ += step.steps;
  step_seconds_ += step.seconds;
  samples_done_ += static_cast<int64_t>(step.result.samples);
  // Steps are short: text is made only where it will be seen.
  if (const double now = timer_.Seconds(); now >= next_draw_s_) {
    next_draw_s_ = now + kDrawEvery_s;
    progress_.Update(samples_done_,
                     absl::StrFormat("epoch %d/%d  loss %.3f  accuracy %.3f", step.epoch,
                                     plan_.options.epochs, sum_.loss(), sum_.accuracy()));
  }
  return flags::Interrupted() ? train::Next::kStop : train::Next::kContinue;
}

train::Next TrainReport::OnEpoch(const train::EpochSummary& epoch) {
  sum_ = {};
  if (!epoch.complete) return train::Next::kStop;
  epochs_.push_back(epoch);
  if (!flags_.output.json) {
    progress_.Clear();
    std::string validation;
    if (epoch.validation) {
      validation = absl::StrFormat("%15.4f  %17.2f %%  ", epoch.validation->loss,
                                   100 * epoch.validation->accuracy);
    }
    PrintText(absl::StrFormat("%5d  %7.3f  %10.4f  %12.2f %%  %s%9.0f\n", epoch.epoch,
                              epoch.seconds, epoch.train_loss, 100 * epoch.train_accuracy,
                              validation, epoch.samples_per_second()));
    next_draw_s_ = 0;
  }
  return flags::Interrupted() ? train::Next::kStop : train::Next::kContinue;
}

Json TrainReport::Document(const std::optional<train::Evaluation>& test, bool interrupted,
                           const Json& profile) const {
  Json epochs = Json::array();
  double seconds = 0;
  size_t samples = 0;
  for (const train::EpochSummary& epoch : epochs_) {
    epochs.push_back(EpochJson(epoch));
    seconds += epoch.seconds;
    samples += epoch.samples;
  }
  const train::StrategyOptions& strategy = trainer_.options().strategy;
  Json document;
  document["train"] = {{"epochs", epochs},
                       {"seconds", seconds},
                       {"samples_per_second", nullptr},
                       {"peak_rss_bytes", PeakResidentBytes()}};
  if (seconds > 0) {
    document["train"]["samples_per_second"] = static_cast<double>(samples) / seconds;
  }
  document["test"] = nullptr;
  if (test) {
    document["test"] = {
        {"samples", test->samples}, {"loss", test->loss}, {"accuracy", test->accuracy}};
  }
  document["resolved"] = {{"isa", IsaName(strategy.target)},
                          {"threads", train::BusyThreads(strategy)},
                          {"strategy", std::string(strategy.KindName())},
                          {"skip_zeros", strategy.skip_zeros.value_or(false)},
                          {"inputs", train::UsedInputs(strategy, plan_.spec)},
                          {"precision", flags_.precision},
                          {"amx", train::UsesAmx(strategy)},
                          {"backend", std::string(kernels::Name(strategy.target.backend))},
                          {"math", std::string(kernels::Name(strategy.math))},
                          {"device", flags_.compute.device}};
  document["tuning"] = nullptr;
  if (plan_.tuning) {
    document["tuning"] = {{"isa", std::string(Name(plan_.tuning->isa))},
                          {"threads", plan_.tuning->threads},
                          {"skip_below", plan_.tuning->skip_below},
                          {"steady", plan_.tuning->steady}};
  }
  document["model"] = {{"spec", model::Format(plan_.spec)},
                       {"parameters", plan_.spec.parameter_count()}};
  document["data"] = {{"name", dataset_.name}, {"sha256", dataset_.sha256}};
  document["settings"] = ToSettings(flags_, plan_);
  document["out"] = flags_.out.empty() ? Json(nullptr) : Json(flags_.out);
  document["interrupted"] = interrupted;
  if (!profile.is_null()) document["profile"] = profile;
  return document;
}

void TrainReport::Finish(const std::optional<train::Evaluation>& test, bool interrupted,
                         const Json& profile) {
  if (flags_.output.json) {
    PrintJson(Document(test, interrupted, profile));
    return;
  }
  if (test) {
    PrintText(absl::StrFormat("test loss %.4f, accuracy %.2f %% of %d samples\n", test->loss,
                              100 * test->accuracy, test->samples));
  }
  if (!flags_.out.empty()) PrintText(absl::StrCat("saved ", flags_.out, "\n"));
}

}  // namespace mlp::cli
