// The real program, end to end: training, resuming, interrupting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "mlp/base/isa.h"
#include "mlp/cli/cli_testing.h"
#include "mlp/cli/console.h"
#include "mlp/io/subprocess.h"
#include "mlp/model/model.h"
#include "mlp/model/model_file.h"

namespace mlp::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class TrainTest : public testing::Test {
 protected:
  std::string Out(const std::string& name) const { return "--out=" + mlp_.Path(name); }
  std::string Resume(const std::string& name) const { return "--resume=" + mlp_.Path(name); }

  MlpRunner mlp_;
};

TEST_F(TrainTest, PrintsATableAndSaves) {
  const io::CommandResult result = mlp_.Train({"--epochs=3", "--validation=0.1", Out("m.mlp")});
  EXPECT_EQ(result.exit_code, kDone);
  EXPECT_EQ(result.errors, "");
  EXPECT_THAT(result.output, HasSubstr("200 training and 50 test pictures of 6 x 6\n"));
  EXPECT_THAT(
      result.output,
      HasSubstr("36-16-10: 762 parameters, softmax_cross_entropy, adam, tiny, fp32, simd/"));
  EXPECT_THAT(result.output, HasSubstr("validation accuracy  samples/s\n    1  "));
  EXPECT_THAT(result.output, HasSubstr("\n    3  "));
  EXPECT_THAT(result.output, HasSubstr("\ntest loss "));
  EXPECT_THAT(result.output, HasSubstr("\nsaved " + mlp_.Path("m.mlp") + "\n"));
  EXPECT_THAT(mlp_.Files(), ElementsAre("m.mlp"));
}

TEST_F(TrainTest, Learns) {
  const Json document =
      mlp_.RunJson(mlp_.TrainArguments({"--epochs=60", "--learning_rate=0.01", "--json"}));
  EXPECT_GT(document["test"]["accuracy"], 0.95);
  EXPECT_EQ(document["test"]["samples"], 50);
  EXPECT_LT(document["train"]["epochs"][59]["train_loss"],
            document["train"]["epochs"][0]["train_loss"]);
}

TEST_F(TrainTest, RefusesWhatMemoryCannotHold) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve more address space than there is memory";
#endif
  const io::CommandResult result = mlp_.RunWithin(
      size_t{2} << 30,
      mlp_.TrainArguments({"--model=36-1000000-100-10", "--tune=off", Out("m.mlp")}));
  EXPECT_EQ(result.exit_code, kFailed);
  EXPECT_THAT(result.errors,
              HasSubstr("--model: 36-1000000-100-10 has 137001110 parameters: expected "
                        "at least "));
  EXPECT_THAT(result.errors, HasSubstr("found 1.9 GB available; make it, --batch_size or "
                                       "--shards smaller\n"));
  EXPECT_THAT(mlp_.Files(), IsEmpty());
}

TEST_F(TrainTest, CountsTheMemoryOfShards) {
  const io::CommandResult result = mlp_.Train(
      {"--model=36-20000-20000-10", "--tune=off", "--strategy=thread_private", "--shards=1024"});
  EXPECT_EQ(result.exit_code, kFailed);
  EXPECT_THAT(result.errors, HasSubstr("expected at least 16"));  // TB: a gradient for each shard
}

TEST_F(TrainTest, DivergenceInTheLastUpdateIsAFailure) {
  const io::CommandResult result = mlp_.Train(
      {"--epochs=1", "--batch_size=200", "--optimizer=sgd", "--learning_rate=1e38", Out("m.mlp")});
  EXPECT_EQ(result.exit_code, kFailed);
  EXPECT_THAT(result.errors, StartsWith("mlp: epoch 1, test part: expected a finite loss, found "));
  EXPECT_THAT(mlp_.Files(), IsEmpty());
}

TEST_F(TrainTest, LearnsCirclesAndSaysSo) {
  const std::vector<std::string> train = {
      "train",          "--data=circles",       "--model=2-8-8-1",
      "--batch_size=1", "--learning_rate=0.01", "--epochs=60"};
  std::vector<std::string> save = train;
  save.insert(save.end(), {Out("c.mlp"), "--json"});
  const Json document = mlp_.RunJson(save);
  EXPECT_GT(document["test"]["accuracy"], 0.95);
  EXPECT_EQ(document["resolved"]["strategy"], "tiny");
  const std::string in = "--in=" + mlp_.Path("c.mlp");
  const Json test = mlp_.RunJson({"evaluate", in, "--json"})["test"];
  EXPECT_EQ(test["accuracy"], document["test"]["accuracy"]);
  EXPECT_EQ(test["confusion_matrix"].size(), 2u);
  const Json predictions = mlp_.RunJson({"predict", in, "--json", "--probabilities"});
  EXPECT_EQ(predictions["samples"], 200);
  EXPECT_EQ(predictions["predictions"][0]["probabilities"].size(), 2u);
  EXPECT_EQ(mlp_.RunJson({"inspect", in, "--json"})["model"]["layers"][2]["activation"], "sigmoid");
  // The loss is the model's: a file cannot go on with another one.
  EXPECT_EQ(
      mlp_.Run({"train", "--resume=" + mlp_.Path("c.mlp"), "--loss=mean_squared_error"}).exit_code,
      kWrongUse);
  std::vector<std::string> squares = train;
  squares.insert(squares.end(), {"--loss=mean_squared_error", "--strategy=fused", "--json"});
  EXPECT_GT(mlp_.RunJson(squares)["test"]["accuracy"], 0.95);
  EXPECT_EQ(mlp_.Run({"train", "--data=circles", "--model=2-8-8-1", "--strategy=tensor_parallel"})
                .exit_code,
            kWrongUse);
}

TEST_F(TrainTest, JsonHasWhatIsPromised) {
  const Json document = mlp_.RunJson(mlp_.TrainArguments(
      {"--epochs=2", "--validation=0.2", "--threads=1", "--json", "--progress=always"}));
  const Json& train = document["train"];
  ASSERT_EQ(train["epochs"].size(), 2u);
  for (const char* key : {"seconds", "train_loss", "train_accuracy", "samples_per_second",
                          "validation_loss", "validation_accuracy"}) {
    EXPECT_TRUE(train["epochs"][1][key].is_number_float()) << key;
  }
  EXPECT_EQ(train["epochs"][0]["epoch"], 1);
  EXPECT_GT(train["samples_per_second"], 0);
  EXPECT_GT(train["peak_rss_bytes"], 1e6);
  EXPECT_TRUE(document["test"]["loss"].is_number_float());
  EXPECT_EQ(document["resolved"]["threads"], 1);
  EXPECT_EQ(document["resolved"]["strategy"], "tiny");
  EXPECT_EQ(document["resolved"]["skip_zeros"], false);
  EXPECT_EQ(document["resolved"]["precision"], "fp32");
  EXPECT_TRUE(document["resolved"]["isa"].is_string());
  EXPECT_EQ(document["interrupted"], false);
  EXPECT_TRUE(document["out"].is_null());
}

TEST_F(TrainTest, ResumedEqualsUninterruptedByteForByte) {
  for (const char* schedule : {"constant", "exponential"}) {
    std::vector<std::string> flags = {std::string("--schedule=") + schedule, "--warmup=2.5"};
    if (flags.front() == "--schedule=exponential") flags.push_back("--decay=0.5");
    const auto train = [&](const std::string& epochs, const std::string& out) {
      std::vector<std::string> all = flags;
      all.insert(all.end(), {epochs, out});
      return mlp_.Train(all).exit_code;
    };
    ASSERT_EQ(train("--epochs=4", Out("whole")), kDone);
    ASSERT_EQ(train("--epochs=2", Out("part")), kDone);
    EXPECT_NE(mlp_.Read("part"), mlp_.Read("whole"));
    // All settings but --epochs come from the file.
    const io::CommandResult result =
        mlp_.Run({"train", Resume("part"), "--epochs=4", Out("resumed")});
    EXPECT_EQ(result.exit_code, kDone) << result.errors;
    EXPECT_THAT(result.output, Not(HasSubstr("\n    2  ")));
    EXPECT_THAT(result.output, HasSubstr("\n    3  "));
    EXPECT_EQ(mlp_.Read("resumed"), mlp_.Read("whole"));
  }
}

TEST_F(TrainTest, SchedulesAreSaidAndEveryEpochsRateIsTold) {
  const io::CommandResult words = mlp_.Train({"--epochs=1", "--schedule=cosine", "--warmup=0.5"});
  EXPECT_THAT(words.output, HasSubstr("adam, warm-up of 0.5 epochs, cosine schedule, "));
  const Json json = mlp_.RunJson(mlp_.TrainArguments(
      {"--epochs=3", "--schedule=step", "--decay=0.1", "--decay_every=2", "--json"}));
  EXPECT_EQ(json["train"]["epochs"][1]["learning_rate"], 1e-3);
  EXPECT_NEAR(json["train"]["epochs"][2]["learning_rate"].get<double>(), 1e-4, 1e-18);
  EXPECT_EQ(json["settings"]["schedule"], "step");
  const io::CommandResult wrong = mlp_.Train({"--schedule=noam"});
  EXPECT_EQ(wrong.exit_code, kWrongUse);
  EXPECT_THAT(wrong.errors, HasSubstr("constant, step, exponential, linear, cosine"));
  EXPECT_EQ(mlp_.Train({"--schedule=step", "--decay=0"}).exit_code, kWrongUse);
}

TEST_F(TrainTest, SameFileWhateverTheNumberOfThreads) {
  ASSERT_EQ(mlp_.Train({"--threads=1", Out("one")}).exit_code, kDone);
  ASSERT_EQ(mlp_.Train({"--threads=2", Out("two")}).exit_code, kDone);
  EXPECT_EQ(mlp_.Read("one"), mlp_.Read("two"));
}

TEST_F(TrainTest, ResumeRefusesWhatContradictsTheFile) {
  ASSERT_EQ(mlp_.Train({"--epochs=1", Out("m")}).exit_code, kDone);
  const std::string file = mlp_.Path("m");
  for (const auto& [flag, expected, found] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"batch_size", "32", "8"},
           {"seed", "1", "2"},
           {"optimizer", "adam", "sgd"},
           {"validation", "0", "0.5"},
           {"last_batch", "keep", "drop"},
           {"model", "36-16-10", "36-8-10"}}) {
    const io::CommandResult result =
        mlp_.Run({"train", Resume("m"), "--" + flag + "=" + found, "--epochs=2"});
    EXPECT_EQ(result.exit_code, kWrongUse) << flag;
    EXPECT_EQ(result.errors, "mlp train: " + file + ": setting " + flag + ": expected " + expected +
                                 ", found " + found + "; leave --" + flag +
                                 " out to go on with this file\n");
  }
  const io::CommandResult other = mlp_.Run({"train", Resume("m"), "--data=digits"});
  EXPECT_EQ(other.exit_code, kFailed);
  EXPECT_THAT(other.errors, HasSubstr("m: dataset: expected " + mlp_.data() + " (SHA-256 "));
  EXPECT_EQ(mlp_.Run({"train", Resume("m"), "--epochs=2", "--learning_rate=0.1"}).exit_code, kDone);
}

TEST_F(TrainTest, ResumeOfNothingLeft) {
  ASSERT_EQ(mlp_.Train({"--epochs=1", Out("m")}).exit_code, kDone);
  const io::CommandResult result = mlp_.Run({"train", Resume("m"), Out("m2")});
  EXPECT_EQ(result.exit_code, kDone);
  EXPECT_THAT(result.errors, HasSubstr("m has 1 epoch: nothing is left to train"));
  EXPECT_EQ(mlp_.Read("m2"), mlp_.Read("m"));
}

TEST_F(TrainTest, SettingsOfACraftedFileAreNoFlags) {
  ASSERT_EQ(mlp_.Train({"--epochs=1", Out("m")}).exit_code, kDone);
  auto saved = model::LoadModel(mlp_.Path("m"));
  ASSERT_TRUE(saved.ok());
  const model::Settings good = saved->info.settings;
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"out", mlp_.Path("elsewhere")},
                                                        {"force", "true"},
                                                        {"seed", "-5"},
                                                        {"epochs", "many"},
                                                        {"strategy", "magic"}}) {
    saved->info.settings = good;
    saved->info.settings[name] = value;
    ASSERT_TRUE(model::SaveModel(mlp_.Path("crafted"), saved->model, saved->info).ok());
    const io::CommandResult result = mlp_.Run({"train", Resume("crafted")});
    EXPECT_EQ(result.exit_code, kWrongUse) << name;
    EXPECT_THAT(result.errors, StartsWith("mlp train: "));
  }
  EXPECT_THAT(mlp_.Files(), ElementsAre("crafted", "m"));
}

// What decides bits goes with the file.
TEST_F(TrainTest, APrecisionAndItsUnitAreKept) {
  for (const std::string precision : {"split3", "bf16x3", "bf16"}) {
    const auto train = [&](const std::string& epochs, const std::string& name) {
      return mlp_.Train({"--strategy=tensor_parallel", "--precision=" + precision, "--amx=no",
                         "--epochs=" + epochs, "--force", Out(name)});
    };
    ASSERT_EQ(train("1", "half").exit_code, kDone);
    const Json document =
        mlp_.RunJson({"train", Resume("half"), "--epochs=2", "--json", "--force", Out("resumed")});
    EXPECT_EQ(document["resolved"]["precision"], precision);
    EXPECT_EQ(document["settings"]["amx"], "no");
    ASSERT_EQ(train("2", "whole").exit_code, kDone);
    const auto resumed = model::LoadModel(mlp_.Path("resumed"));
    const auto whole = model::LoadModel(mlp_.Path("whole"));
    EXPECT_TRUE(std::ranges::equal(resumed->model.parameters(), whole->model.parameters()))
        << precision;
  }
}

TEST_F(TrainTest, ACpuWithoutAmxGoesOnAndSaysSo) {
  ASSERT_EQ(mlp_.Train({"--strategy=tensor_parallel", "--epochs=1", "--precision=bf16", Out("m")})
                .exit_code,
            kDone);
  auto saved = model::LoadModel(mlp_.Path("m"));
  ASSERT_TRUE(saved.ok());
  saved->info.settings["amx"] = "yes";
  ASSERT_TRUE(model::SaveModel(mlp_.Path("amx"), saved->model, saved->info).ok());
  const auto resume = [&](const std::string& flag) {
    return mlp_.Run({"train", Resume("amx"), "--epochs=2", flag});
  };
  const io::CommandResult result = resume("--threads=1");
  EXPECT_EQ(result.exit_code, kDone);
  if (!HasAmxBf16()) {
    EXPECT_THAT(result.errors, HasSubstr("trained with AMX, which this CPU lacks"));
  }
  // Another precision or instruction set is another choice.
  EXPECT_EQ(resume("--precision=fp32").errors, "");
  EXPECT_EQ(resume("--isa=sse2").errors, "");
}

TEST_F(TrainTest, ZeroEpochsSaveTheInitialModel) {
  const Json document = mlp_.RunJson(mlp_.TrainArguments({"--epochs=0", "--json", Out("m")}));
  EXPECT_TRUE(document["train"]["epochs"].empty());
  EXPECT_TRUE(document["train"]["samples_per_second"].is_null());
  const auto saved = model::LoadModel(mlp_.Path("m"));
  ASSERT_TRUE(saved.ok());
  const model::Model initial(saved->model.spec(), 1);
  EXPECT_TRUE(std::ranges::equal(saved->model.parameters(), initial.parameters()));
}

TEST_F(TrainTest, FlagsOfWhatWasNotChosenAreRefused) {
  for (const auto& [flag, chosen, expected] : std::vector<std::array<std::string, 3>>{
           {"--momentum=0.5", "--optimizer=sgd", "--optimizer=momentum"},
           {"--rho=0.5", "--optimizer=adam", "--optimizer=rmsprop"},
           {"--beta1=0.5", "--optimizer=rmsprop", "--optimizer=adam"},
           {"--epsilon=1e-6", "--optimizer=sgd", "--optimizer=rmsprop or --optimizer=adam"},
           {"--decay_every=2", "--schedule=cosine", "--schedule=step"},
           {"--micro_batches=2", "--strategy=fused", "--strategy=accumulate"},
           {"--shards=4", "--strategy=fused",
            "--strategy=auto or --strategy=tensor_parallel or --strategy=thread_private or "
            "--strategy=atomic or --strategy=hogwild"}}) {
    const io::CommandResult result = mlp_.Train({flag, chosen, "--epochs=1"});
    EXPECT_EQ(result.exit_code, kWrongUse);
    EXPECT_THAT(result.errors, HasSubstr("expected " + expected + ", found " + chosen)) << flag;
  }
  EXPECT_EQ(mlp_.Train({"--momentum=0.5", "--optimizer=momentum", "--epochs=1"}).exit_code, kDone);
  // What a file says of others is no such flag.
  ASSERT_EQ(mlp_.Train({"--optimizer=sgd", "--epochs=1", Out("m")}).exit_code, kDone);
  EXPECT_EQ(mlp_.Run({"train", Resume("m"), "--epochs=2"}).exit_code, kDone);
  const io::CommandResult resumed = mlp_.Run({"train", Resume("m"), "--epochs=2", "--beta1=0.5"});
  EXPECT_EQ(resumed.exit_code, kWrongUse);
  EXPECT_THAT(resumed.errors, HasSubstr("found --optimizer=sgd"));
}

TEST_F(TrainTest, ClippingTakesAStrategyThatCan) {
  const auto strategy_of = [&](const std::string& batch_size) {
    return mlp_.RunJson(mlp_.TrainArguments(
        {"--clip_norm=1", "--epochs=1", "--json", batch_size}))["resolved"]["strategy"];
  };
  EXPECT_EQ(strategy_of("--batch_size=32"), "tiny");
  EXPECT_EQ(strategy_of("--batch_size=64"), "materialized");
  const io::CommandResult asked = mlp_.Train({"--clip_norm=1", "--strategy=fused"});
  EXPECT_EQ(asked.exit_code, kWrongUse);
  EXPECT_THAT(asked.errors, HasSubstr("--clip_norm: needs the whole gradient"));
}

TEST_F(TrainTest, MoreThreadsThanThereAreIsANote) {
  const io::CommandResult result = mlp_.Train({"--threads=100000", "--epochs=1"});
  EXPECT_EQ(result.exit_code, kDone);
  EXPECT_THAT(result.errors, StartsWith("mlp: note: --threads=100000: this process may use "));
  EXPECT_EQ(mlp_.Train({"--threads=100000", "--epochs=1", "--quiet"}).errors, "");
}

TEST_F(TrainTest, DivergenceWritesNothing) {
  const io::CommandResult result =
      mlp_.Train({"--optimizer=sgd", "--learning_rate=1e30", "--epochs=9", Out("m"), "--json"});
  EXPECT_EQ(result.exit_code, kFailed);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.errors, StartsWith("mlp: epoch 1, steps 1 to "));
  EXPECT_THAT(
      result.errors,
      HasSubstr(
          "diverged: lower --learning_rate, or bound the gradient (mlp train has --clip_norm)\n"));
  EXPECT_THAT(mlp_.Files(), IsEmpty());
}

TEST_F(TrainTest, OutIsCheckedBeforeTheWork) {
  std::ofstream(mlp_.Path("notes.txt")) << "my notes";
  const io::CommandResult refused = mlp_.Train({Out("notes.txt"), "--epochs=1"});
  EXPECT_EQ(refused.exit_code, kFailed);
  EXPECT_EQ(refused.output, "");  // no training before
  EXPECT_THAT(refused.errors, HasSubstr("replace it with --force"));
  EXPECT_EQ(mlp_.Read("notes.txt"), "my notes");
  EXPECT_EQ(mlp_.Train({Out("none/m"), "--epochs=1"}).exit_code, kFailed);
  EXPECT_EQ(mlp_.Train({Out("notes.txt"), "--epochs=1", "--force"}).exit_code, kDone);
  EXPECT_TRUE(model::LoadModel(mlp_.Path("notes.txt")).ok());
}

TEST_F(TrainTest, CtrlCSavesAndTheRestIsAsIfNothingHadBeen) {
  RunningMlp running(
      mlp_.TrainArguments({"--epochs=1000000", "--progress=always", "--json", Out("m")}));
  running.WaitForProgress();
  running.Signal(SIGINT);
  const io::CommandResult result = running.Wait();
  EXPECT_EQ(result.exit_code, kInterrupted);
  EXPECT_THAT(result.errors, HasSubstr("interrupted after "));
  EXPECT_THAT(result.errors, HasSubstr("go on with mlp train --resume="));
  const Json document = Json::parse(result.output, nullptr, false);
  ASSERT_TRUE(document.is_object()) << result.output;
  EXPECT_EQ(document["interrupted"], true);
  EXPECT_TRUE(document["test"].is_null());
  EXPECT_THAT(mlp_.Files(), ElementsAre("m"));

  const auto saved = model::LoadModel(mlp_.Path("m"));
  ASSERT_TRUE(saved.ok()) << saved.status();
  const model::TrainingState& state = saved->info.training;
  EXPECT_GT(state.optimizer_steps, 0);
  EXPECT_EQ(document["train"]["epochs"].size(), state.epochs_done);
  const std::string epochs = "--epochs=" + std::to_string(state.epochs_done + 1);
  ASSERT_EQ(mlp_.Run({"train", Resume("m"), Out("resumed"), epochs}).exit_code, kDone);
  ASSERT_EQ(mlp_.Train({Out("whole"), epochs}).exit_code, kDone);
  EXPECT_EQ(mlp_.Read("resumed"), mlp_.Read("whole"));
}

TEST_F(TrainTest, TheEndOfTheTerminalSaves) {
  RunningMlp running(mlp_.TrainArguments({"--epochs=1000000", "--progress=always", Out("m")}));
  running.WaitForProgress();
  running.Signal(SIGHUP);
  EXPECT_EQ(running.Wait().exit_code, kInterrupted);
  const auto saved = model::LoadModel(mlp_.Path("m"));
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_GT(saved->info.training.optimizer_steps, 0);
}

TEST_F(TrainTest, TerminationWithoutOutSavesNothing) {
  RunningMlp running(mlp_.TrainArguments({"--epochs=1000000", "--progress=always"}));
  running.WaitForProgress();
  running.Signal(SIGTERM);
  const io::CommandResult result = running.Wait();
  EXPECT_EQ(result.exit_code, kInterrupted);
  EXPECT_THAT(result.errors, HasSubstr("nothing is saved, as there is no --out"));
  EXPECT_THAT(mlp_.Files(), IsEmpty());
}

}  // namespace
}  // namespace mlp::cli
