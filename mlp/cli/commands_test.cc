// The real program, end to end: everything but training.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "mlp/cli/cli_testing.h"
#include "mlp/cli/console.h"
#include "mlp/io/subprocess.h"

namespace mlp::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class CommandsTest : public testing::Test {
 protected:
  void TrainModel() {
    in_ = "--in=" + mlp_.Path("m");
    ASSERT_EQ(mlp_.Train({"--epochs=3", "--out=" + mlp_.Path("m")}).exit_code, kDone);
  }

  MlpRunner mlp_;
  std::string in_;
};

TEST_F(CommandsTest, HelpAndVersion) {
  for (const char* help : {"help", "--help", "-h"}) {
    const io::CommandResult result = mlp_.Run({help});
    EXPECT_EQ(result.exit_code, kDone);
    EXPECT_THAT(result.output, StartsWith("mlp: trains multilayer perceptrons"));
  }
  for (const char* command : {"train", "evaluate", "predict", "inspect"}) {
    const io::CommandResult result = mlp_.Run({command, "--help"});
    EXPECT_EQ(result.exit_code, kDone);
    EXPECT_THAT(result.output, StartsWith(std::string("mlp ") + command + ": "));
    EXPECT_THAT(result.output, HasSubstr("\nExamples\n  mlp " + std::string(command)));
    EXPECT_EQ(mlp_.Run({"help", command}).output, result.output);
  }
  EXPECT_THAT(mlp_.Run({"--version"}).output, StartsWith("mlp 0."));
}

TEST_F(CommandsTest, WrongUseIsCode2AndSaysWhat) {
  const auto expect = [&](const std::vector<std::string>& arguments, const std::string& message) {
    const io::CommandResult result = mlp_.Run(arguments);
    EXPECT_EQ(result.exit_code, kWrongUse) << message;
    EXPECT_EQ(result.output, "");
    EXPECT_THAT(result.errors, HasSubstr(message));
    EXPECT_EQ(std::ranges::count(result.errors, '\n'), 1);
  };
  expect({}, "mlp: expected a command, found none");
  expect({"trian"}, "mlp: unknown command \"trian\"; did you mean mlp train?");
  expect({"train", "--epoch=3"}, "mlp train: unknown flag --epoch; did you mean --epochs?");
  expect({"train", "--epochs=-1"}, "--epochs: expected an integer from 0");
  expect({"train", "extra"}, "unexpected argument \"extra\"");
  expect({"train", "--model=784-x-10"}, "model \"784-x-10\"");
  expect({"train", "--isa=neon"}, "--isa: expected one of auto");
  expect({"train", "--backend=gpu"}, "--backend: expected one of auto");
  expect({"train", "--strategy=magic"}, "--strategy: expected one of auto, ");
  expect({"train", "--precision=int4"}, "--precision: expected one of fp32");
  for (const std::string precision : {"split3", "bf16x3", "bf16"}) {
    expect({"train", "--precision=" + precision, "--strategy=fused"},
           "--precision: " + precision + " needs --strategy=tensor_parallel, found fused");
    expect({"train", "--precision=" + precision, "--data=circles", "--model=2-64-2",
            "--strategy=tensor_parallel"},
           "needs pixels");
  }
  // What stands against it is named, not what auto would have chosen.
  expect({"train", "--precision=bf16", "--clip_norm=1"},
         "--precision=bf16: needs --strategy=tensor_parallel, which --clip_norm=1 rules out");
  expect({"train", "--skip_zeros=yes", "--data=circles", "--model=2-8-2"},
         "--skip_zeros=yes: needs --strategy=tensor_parallel, which --data=circles rules out");
  expect({"train", "--precision=bf16", "--backend=eigen"}, "which kernels of eigen/");
  expect({"train", "--out="}, "--out: expected a FILE, found nothing");
  expect({"train", "--resume="}, "--resume: expected a FILE, found nothing");
  expect({"train", "--precision=split3", "--skip_zeros=yes"},
         "--precision: split3 is a way to multiply all pixels");
  expect({"train", "--amx=maybe"}, "--amx: expected one of auto");
  expect({"train", "--amx=yes"}, "--amx=yes: needs products of bfloat16, found --precision=fp32");
  expect({"train", "--amx=yes", "--precision=split3", "--isa=sse2"},
         "--amx=yes: needs simd/avx512 on a CPU with AMX_BF16");
  expect({"train", "--device=cuda"}, "--device: expected one of cpu");
  expect({"train", "--data=" + mlp_.data()}, "--model: expected an input width of 36");
  expect({"evaluate"}, "--in: expected a model file");
  expect({"predict"}, "--in: expected a model file");
  expect({"inspect"}, "expected --in or --model, found neither");
  expect({"inspect", "--in=m", "--model=4-2"}, "expected --in or --model, found both");
}

TEST_F(CommandsTest, FailedWorkIsCode1AndOneLine) {
  TrainModel();
  std::ofstream(mlp_.Path("text")) << "no model";
  std::ofstream(mlp_.Path("broken")) << mlp_.Read("m").substr(0, 1000);
  const auto expect = [&](const std::vector<std::string>& arguments, const std::string& message) {
    const io::CommandResult result = mlp_.Run(arguments);
    EXPECT_EQ(result.exit_code, kFailed) << message;
    EXPECT_EQ(result.output, "");
    EXPECT_THAT(result.errors, StartsWith("mlp: "));
    EXPECT_THAT(result.errors, HasSubstr(message));
    EXPECT_EQ(std::ranges::count(result.errors, '\n'), 1);
  };
  for (const char* command : {"evaluate", "predict", "inspect"}) {
    expect({command, "--in=" + mlp_.Path("none")}, "none: file: expected a model file");
    expect({command, "--in=" + mlp_.Path("")}, "found a directory");
    expect({command, "--in=" + mlp_.Path("text")}, "text: byte 0: expected \"MLPMODEL\"");
    expect({command, "--in=" + mlp_.Path("broken")}, "broken: byte 1000: expected a file of ");
  }
  expect({"train", "--resume=" + mlp_.Path("text")}, "text: byte 0: expected \"MLPMODEL\"");
  expect({"train", "--data=" + mlp_.Path("none")},
         "expected digits, circles, mnist, or a directory");
  expect({"train", "--data=mnist", "--data_dir=" + mlp_.Path("none")},
         "expected the four IDX files of a dataset, plain or .gz, found no such directory");
  expect({"train", "--data=mnist", "--data_dir=" + mlp_.Path("")}, "; get train-images");
  expect({"evaluate", in_, "--data=digits"}, "expected 6 x 6 pixels");
  expect({"predict", in_, "--data=digits"}, "expected 6 x 6 pixels");
  expect({"predict", in_, "--data=" + mlp_.data() + "/t10k-labels-idx1-ubyte"}, "3 dimensions");
  expect({"predict", in_, "--data=" + mlp_.Path("none")},
         "none: --data: expected an IDX file of images, digits, circles, mnist, or a directory");
  expect({"predict", in_, "--data=/dev/null"}, "/dev/null: file: expected a regular file");
  expect({"predict", in_, "--data=" + mlp_.Path("text")}, "text: byte 0: expected two zero bytes");
  expect({"predict", in_, "--out=" + mlp_.Path("text")}, "replace it with --force");
  EXPECT_EQ(mlp_.Read("text"), "no model");
}

TEST_F(CommandsTest, EvaluateCountsEverySample) {
  TrainModel();
  const Json test = mlp_.RunJson({"evaluate", in_, "--json"})["test"];
  EXPECT_EQ(test["samples"], 50);
  EXPECT_TRUE(test["loss"].is_number_float());
  size_t all = 0;
  size_t right = 0;
  for (size_t i = 0; i < 10; ++i) {
    for (size_t j = 0; j < 10; ++j) {
      const size_t count = test["confusion_matrix"][i][j];
      all += count;
      if (i == j) right += count;
    }
  }
  EXPECT_EQ(all, 50u);
  EXPECT_DOUBLE_EQ(test["accuracy"], static_cast<double>(right) / 50);
  const io::CommandResult text = mlp_.Run({"evaluate", in_, "--data=" + mlp_.data()});
  EXPECT_THAT(text.output, HasSubstr("of 50 samples\n"));
  EXPECT_THAT(text.output, HasSubstr("actual \\ predicted"));
  EXPECT_EQ(text.errors, "");
}

TEST_F(CommandsTest, EvaluateAgreesWithTrain) {
  const Json trained =
      mlp_.RunJson(mlp_.TrainArguments({"--epochs=2", "--json", "--out=" + mlp_.Path("m")}));
  const Json test = mlp_.RunJson({"evaluate", "--in=" + mlp_.Path("m"), "--json"})["test"];
  EXPECT_EQ(test["loss"], trained["test"]["loss"]);
  EXPECT_EQ(test["accuracy"], trained["test"]["accuracy"]);
}

TEST_F(CommandsTest, PredictIsTheSameEachTime) {
  TrainModel();
  const std::string once = mlp_.Run({"predict", in_, "--probabilities"}).output;
  EXPECT_THAT(once, StartsWith("index,label,p0,p1,p2,p3,p4,p5,p6,p7,p8,p9\n0,"));
  EXPECT_EQ(std::ranges::count(once, '\n'), 51);
  EXPECT_EQ(std::ranges::count(once, ','), 51 * 11);
  const std::string out = "--out=" + mlp_.Path("p.csv");
  for (int i = 0; i < 2; ++i) {  // The second time it replaces its own kind of file.
    const io::CommandResult result = mlp_.Run({"predict", in_, "--probabilities", out});
    EXPECT_EQ(result.exit_code, kDone) << result.errors;
    EXPECT_EQ(result.output, "wrote 50 predictions to " + mlp_.Path("p.csv") + "\n");
    EXPECT_EQ(mlp_.Read("p.csv"), once);
  }
  EXPECT_THAT(mlp_.Files(), ElementsAre("m", "p.csv"));
}

TEST_F(CommandsTest, PredictReplacesNoOtherTable) {
  TrainModel();
  std::ofstream(mlp_.Path("t.csv")) << "index,label,comment\n1,2,mine\n";
  const io::CommandResult result = mlp_.Run({"predict", in_, "--out=" + mlp_.Path("t.csv")});
  EXPECT_EQ(result.exit_code, kFailed);
  EXPECT_THAT(result.errors, HasSubstr("found another kind of file"));
  EXPECT_THAT(mlp_.Read("t.csv"), HasSubstr("mine"));
}

TEST_F(CommandsTest, OutputsOfASquaredErrorAreNoProbabilities) {
  const std::string out = mlp_.Path("squares");
  ASSERT_EQ(mlp_.Train({"--loss=mean_squared_error", "--epochs=1", "--out=" + out}).exit_code,
            kDone);
  EXPECT_EQ(mlp_.Run({"predict", "--in=" + out}).exit_code, kDone);
  const io::CommandResult result = mlp_.Run({"predict", "--in=" + out, "--probabilities"});
  EXPECT_EQ(result.exit_code, kWrongUse);
  EXPECT_THAT(result.errors,
              HasSubstr("--probabilities: " + out + " was trained with mean_squared_error"));
}

TEST_F(CommandsTest, DataThatAModelNamesAreSaidToBe) {
  TrainModel();
  std::filesystem::rename(mlp_.data(), mlp_.data() + "-moved");
  const io::CommandResult result = mlp_.Run({"evaluate", in_});
  std::filesystem::rename(mlp_.data() + "-moved", mlp_.data());
  EXPECT_EQ(result.exit_code, kFailed);
  EXPECT_THAT(result.errors, HasSubstr("(" + mlp_.Path("m") + " was trained on it; --data names"));
}

TEST_F(CommandsTest, PredictTakesAFileOfPictures) {
  TrainModel();
  const std::string of_test = mlp_.Run({"predict", in_}).output;
  EXPECT_THAT(of_test, StartsWith("index,label\n0,"));
  const std::string images = "--data=" + mlp_.data() + "/t10k-images-idx3-ubyte";
  EXPECT_EQ(mlp_.Run({"predict", in_, images}).output, of_test);
  const Json document = mlp_.RunJson({"predict", in_, images, "--json", "--probabilities"});
  EXPECT_EQ(document["samples"], 50);
  ASSERT_EQ(document["predictions"].size(), 50u);
  const Json& last = document["predictions"][49];
  EXPECT_EQ(last["index"], 49);
  double sum = 0;
  for (const Json& p : last["probabilities"]) sum += p.get<double>();
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST_F(CommandsTest, InspectCounts) {
  const Json model = mlp_.RunJson({"inspect", "--model=784-128-10", "--json"})["model"];
  EXPECT_EQ(model["parameters"], 784 * 128 + 128 + 128 * 10 + 10);
  EXPECT_EQ(model["bytes"], 4 * (784 * 128 + 128 + 128 * 10 + 10));
  EXPECT_EQ(model["forward_flops_per_sample"], 2 * (784 * 128 + 128 * 10));
  // The gradient with respect to the pictures is not needed.
  EXPECT_EQ(model["training_flops_per_sample"], 4 * 784 * 128 + 6 * 128 * 10);
  size_t training = 0;
  for (const Json& layer : model["layers"]) {
    training += layer["training_flops_per_sample"].get<size_t>();
  }
  EXPECT_EQ(model["training_flops_per_sample"], training);
  EXPECT_EQ(model["layers"][1]["activation"], "softmax");
  EXPECT_THAT(mlp_.Run({"inspect", "--model=784-128-10"}).output, HasSubstr("784 x 128"));
  const Json reference = mlp_.RunJson({"inspect", "--model=784-128-128-128-10", "--json"})["model"];
  EXPECT_EQ(reference["forward_flops_per_sample"], 268'800);
  EXPECT_EQ(reference["training_flops_per_sample"], 605'696);
  // One layer has no gradient to pass on: forward and weight gradient.
  const Json one = mlp_.RunJson({"inspect", "--model=5-3", "--json"})["model"];
  EXPECT_EQ(one["training_flops_per_sample"], 2 * 2 * 15);
}

// 3.6 GB of parameters: none of them is needed to say so.
TEST_F(CommandsTest, InspectMakesNoModel) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return;  // They reserve more address space than is left here.
#endif
  const io::CommandResult result =
      mlp_.RunWithin(size_t{2} << 30, {"inspect", "--model=30000-30000-10"});
  EXPECT_EQ(result.exit_code, kDone) << result.errors;
  EXPECT_THAT(result.output, HasSubstr(" 900330010 "));
}

TEST_F(CommandsTest, InspectTellsWhereAModelComesFrom) {
  TrainModel();
  const Json document = mlp_.RunJson({"inspect", in_, "--json"});
  EXPECT_EQ(document["model"]["spec"], "36-16-10");
  EXPECT_EQ(document["data"]["name"], mlp_.data());
  EXPECT_EQ(document["training"]["epochs_done"], 3);
  EXPECT_EQ(document["training"]["settings"]["batch_size"], "32");
  EXPECT_THAT(mlp_.Run({"inspect", in_}).output, HasSubstr("3 epochs and 0 steps done"));
}

}  // namespace
}  // namespace mlp::cli
