// Many small models: all threads on one after the other, or one on each thread?
//
// The same members either way, with the same bits. Times are those of everything: setting up,
// training, testing.
#include "mlp/train/population.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/train.h"
#include "mlp/base/timer.h"

namespace mlp::experiments {
namespace {

// What members differ in beside their seeds.
constexpr double kRates[] = {0.5, 1, 2};   // times the learning rate
constexpr double kWidths[] = {1, 0.5, 2};  // times the hidden layers' widths

struct Setting {
  size_t batch_size;
  size_t members;
  bool mixed_widths;
};

std::vector<train::Member> MembersOf(const Setting& setting, const Session& session, int threads) {
  std::vector<train::Member> members;
  for (size_t i = 0; i < setting.members; ++i) {
    train::Member member = {session.model(), session.DefaultTrainOptions()};
    member.options.batch_size = setting.batch_size;
    member.options.seed = setting.members * session.seed() + i;
    member.options.optimizer.learning_rate *= kRates[i % std::size(kRates)];
    member.options.strategy.threads = threads;
    if (setting.mixed_widths) {
      for (size_t l = 0; l + 1 < member.spec.layers.size(); ++l) {
        size_t& units = member.spec.layers[l].units;
        units = std::max<size_t>(
            1, static_cast<size_t>(kWidths[i % std::size(kWidths)] * static_cast<double>(units)));
      }
    }
    members.push_back(std::move(member));
  }
  return members;
}

// `at_once` members at a time, on `threads` threads each.
absl::Status Measure(const Setting& setting, int at_once, int threads, const Session& session,
                     record::RunRecord& run) {
  const std::vector<train::Member> members = MembersOf(setting, session, threads);
  train::TrainOptions described = members.front().options;
  described.strategy = train::Resolve(
      described.strategy,
      {members.front().spec, described.batch_size, !session.dataset().train.pixels.empty()});
  run.params.try_emplace("at_once", static_cast<double>(at_once));
  run.params.try_emplace("members", static_cast<double>(members.size()));
  Describe(described, run);

  const Timer timer;
  std::vector<train::MemberResult> results;
  if (threads == 1) {
    results = train::TrainPopulation(session.dataset(), members, at_once);
  } else {
    for (const train::Member& member : members) {
      train::MemberResult& result = results.emplace_back();
      result.model.emplace(member.spec, member.options.seed);
      auto trainer = train::Trainer::Create(member.options, session.dataset(), *result.model);
      if (!trainer.ok()) return trainer.status();
      const auto epochs = trainer->Train();
      if (!epochs.ok()) return epochs.status();
      result.epochs = *epochs;
      result.test = trainer->Test();
    }
  }
  const double seconds = timer.Seconds();

  size_t samples = 0;
  double accuracy = 0, loss = 0;
  for (const train::MemberResult& result : results) {
    if (!result.status.ok()) return result.status;
    for (const train::EpochSummary& epoch : result.epochs) samples += epoch.samples;
    accuracy += result.test.accuracy;
    loss += result.test.loss;
  }
  const auto count = static_cast<double>(results.size());
  run.timings["population_s"] = {seconds};
  run.timings["samples_per_s"] = {static_cast<double>(samples) / seconds};
  run.metrics["test_accuracy"] = accuracy / count;
  run.metrics["test_loss"] = loss / count;
  return absl::OkStatus();
}

int Main(Experiment& experiment) {
  size_t members = 0;
  experiment.flags().Group("This experiment");
  experiment.flags().Int(
      "members", &members,
      {.help = "models to train; 0: three for each thread", .min = 0, .max = 10000});
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  const int all = experiment.train_options().strategy.threads;
  if (members == 0) members = 3 * static_cast<size_t>(all);
  experiment.SetConfig("members", static_cast<double>(members));
  for (const auto& [name, title, setting] :
       {std::tuple("batch_32", "Batches of 32, one model's widths", Setting{32, members, false}),
        std::tuple("batch_128", "Batches of 128, one model's widths", Setting{128, members, false}),
        std::tuple("mixed", "Batches of 128, hidden layers half, once and twice as wide",
                   Setting{128, members, true})}) {
    Table& table = experiment.AddTable(
        {.name = name,
         .title = title,
         .baseline = "one after another",
         .primary = "timings.samples_per_s",
         .columns = {"timings.population_s", "metrics.test_accuracy", "metrics.test_loss"},
         .plots = {{.kind = "bars"}}});
    table.Add({.name = "one after another",
               .params = {},
               .body = [=, setting = setting](const Session& session, record::RunRecord& run) {
                 return Measure(setting, 1, all, session, run);
               }});
    table.Add({.name = "one on each thread",
               .params = {},
               .body = [=, setting = setting](const Session& session, record::RunRecord& run) {
                 return Measure(setting, all, 1, session, run);
               }});
  }
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "population",
                .question = "Are many small models trained faster one on each thread than one "
                            "after another on all?",
                .defaults = {.epochs = 1},
                .omitted_flags = {"batch_size"}})
