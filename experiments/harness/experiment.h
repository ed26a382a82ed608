// The frame of an experiment. It owns flags, data, seeds, the gate, the order of runs, progress,
// resume and the record; the experiment names its question and its variants.
//
//   int Main(Experiment& experiment) {
//     if (const auto exit_code = experiment.Parse()) return *exit_code;
//     Table& table = experiment.AddTable({.baseline = "exact", .primary = "timings.step_s"});
//     for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
//       table.Add({.name = ..., .params = {}, .body = [math](const Session& session, auto& run) {
//         train::TrainOptions options = session.DefaultTrainOptions();
//         options.strategy.math = math;
//         return TrainEpochs(session, options, run).status();
//       }});
//     }
//     return experiment.Run();
//   }
//   MLP_EXPERIMENT(mlp::experiments::Main, {.name = "fastmath", .question = "How much does fast
//   math gain?"})
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "experiments/harness/options.h"
#include "experiments/harness/session.h"
#include "experiments/harness/table.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/program.h"
#include "mlp/record/record.h"
#include "mlp/train/trainer.h"

namespace mlp::experiments {

struct Question {
  std::string name;      // of the binary and of the record
  std::string question;  // in one sentence
  Options defaults = {};
  // What the experiment itself varies or has no use for. Without "work" its runs do all of it.
  std::set<std::string> omitted_flags = {};
  // What it is about: --data takes nothing else. "": any data.
  std::string own_data = "";
};

class Experiment {
 public:
  Experiment(int argc, const char* const* argv, Question question);

  const std::string& name() const { return question_.name; }

  // For flags of its own, before Parse.
  flags::Flags& flags() { return flags_; }

  // Reads the command line. A value means: end main with it.
  std::optional<int> Parse();

  // After Parse.
  const Options& options() const { return options_; }
  const train::TrainOptions& train_options() const { return setup_.train; }
  const model::ModelSpec& model() const { return setup_.model; }

  // Of an experiment that reads a --model of its own: the vectorised model that stands for it.
  // After Parse.
  void SetModel(const model::ModelSpec& model) { setup_.model = model; }

  // Adds to the record's config, beside what the flags say.
  void SetConfig(const std::string& key, record::Scalar value) { config_[key] = std::move(value); }

  // A table of one experiment alone has no name. The reference holds until Run.
  Table& AddTable(record::View view);

  // Measures, writes the record, says what came out. Returns main's exit code: 0, 1 where a variant
  // failed, 2 where flags do not go with the data or each other, 130 after Ctrl-C.
  int Run();

 private:
  class Course;  // the measuring

  absl::StatusOr<int> Measure();
  // The part of the work that flags ask for; nothing where it is to be chosen.
  std::optional<double> AskedWork() const;
  // Wrong use: says so and returns its exit code.
  int Refuse(const absl::Status& status) const;
  // Without what is chosen, as long as it is not.
  record::Record Head(const data::Dataset& dataset, std::optional<double> work) const;
  void Say(const std::string& line) const;

  const int argc_;
  const char* const* const argv_;
  const Question question_;
  Options options_;
  Setup setup_;
  flags::Flags flags_;
  std::map<std::string, record::Scalar> config_;
  std::deque<Table> tables_;
};

}  // namespace mlp::experiments

// The program: one line at the end of the file, outside of any namespace.
#define MLP_EXPERIMENT(main_function, ...)                                                      \
  int main(int argc, char** argv) {                                                             \
    ::mlp::experiments::Experiment experiment(argc, argv,                                       \
                                              ::mlp::experiments::Question __VA_ARGS__);        \
    return ::mlp::flags::RunMain(experiment.name(), [&] { return main_function(experiment); }); \
  }
