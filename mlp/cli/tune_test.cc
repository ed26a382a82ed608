// `mlp tune` and what trainings make of it, in a cache directory of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "mlp/base/isa.h"
#include "mlp/cli/cli_testing.h"

namespace mlp::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TuneTest : public testing::Test {
 protected:
  TuneTest() {
    setenv("XDG_CACHE_HOME", mlp_.Path("cache").c_str(), 1);
    unsetenv("MLP_TUNE");
  }
  // The file that trainings of this machine read.
  std::string File() const {
    for (const auto& entry : std::filesystem::directory_iterator(mlp_.Path("cache") + "/mlp-lab")) {
      return entry.path().string();
    }
    return "";
  }
  // A file as `mlp tune` writes it, whatever the machine is busy with.
  void WriteFile(double skip_below, const char* isa = nullptr) {
    const Json shown = mlp_.RunJson({"tune", "--json"});
    Json document = {{"format", 1},
                     {"machine", shown["machine"]},
                     {"build", shown["build"]},
                     {"tuning", shown["tuning"]}};
    document["tuning"]["skip_below"] = skip_below;
    document["tuning"]["threads"] = 1;
    if (isa != nullptr) document["tuning"]["isa"] = isa;
    document["tuning"]["steady"] = true;
    mlp_.Run({"tune", "--clear"});
    std::filesystem::create_directories(mlp_.Path("cache") + "/mlp-lab");
    // Its name is the program's own affair: one run more says it.
    const io::CommandResult none = mlp_.Run({"tune", "--show"});
    const std::string path = none.errors.substr(5, none.errors.find(".json") - 5 + 5);
    std::ofstream(path) << document.dump();
  }
  Json Train(std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--model=36-64-10", "--epochs=1", "--json"});
    return mlp_.RunJson(mlp_.TrainArguments(flags));
  }

  MlpRunner mlp_;
};

TEST_F(TuneTest, ShowsWhatWasMeasuredAndForgetsIt) {
  EXPECT_EQ(mlp_.Run({"tune", "--show"}).exit_code, kFailed);
  const io::CommandResult measured = mlp_.Run({"tune"});
  EXPECT_EQ(measured.exit_code, kDone) << measured.errors;
  // On a busy machine it is not kept, and nothing was before.
  EXPECT_THAT(measured.errors, Not(HasSubstr("stays as it is")));
  EXPECT_NE(measured.output.find("kept in ") != std::string::npos,
            measured.errors.find("so nothing is kept") != std::string::npos);
  EXPECT_THAT(measured.output,
              HasSubstr("instruction set  threads  pixels multiplied   us a step"));
  EXPECT_THAT(measured.output, HasSubstr("chosen: "));
  WriteFile(0.25);
  const io::CommandResult shown = mlp_.Run({"tune", "--show"});
  EXPECT_EQ(shown.exit_code, kDone) << shown.errors;
  EXPECT_THAT(shown.output, HasSubstr("1 thread, zero pixels skipped below a density of 0.25"));
  EXPECT_EQ(mlp_.RunJson({"tune", "--show", "--json"})["tuning"]["skip_below"], 0.25);
  EXPECT_THAT(mlp_.Run({"tune", "--clear"}).errors, HasSubstr("removed "));
  EXPECT_EQ(mlp_.Run({"tune", "--show"}).exit_code, kFailed);
  EXPECT_THAT(mlp_.Run({"tune", "--clear"}).errors, HasSubstr("nothing was kept"));
  EXPECT_EQ(mlp_.Run({"tune", "--clear", "--show"}).exit_code, kWrongUse);
}

TEST_F(TuneTest, WhatCannotBeShownIsNamedWithItsRemedy) {
  WriteFile(0.25);
  std::ofstream(File()) << "{broken";
  const io::CommandResult broken = mlp_.Run({"tune", "--show"});
  EXPECT_EQ(broken.exit_code, kFailed);
  EXPECT_THAT(broken.errors, StartsWith("mlp: " + File() + ": "));
  EXPECT_THAT(broken.errors, EndsWith("; `mlp tune` measures this machine\n"));
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  for (const std::string flag : {"--show", "--clear", "--quiet"}) {
    const io::CommandResult nowhere = mlp_.Run({"tune", flag});
    EXPECT_EQ(nowhere.exit_code, kFailed);
    EXPECT_THAT(nowhere.errors, StartsWith("mlp: HOME: expected a directory"));
  }
}

TEST_F(TuneTest, TrainingsFollowItUnlessFlagsSayOtherwise) {
  WriteFile(0.125);
  const Json tuned = Train({});
  EXPECT_EQ(tuned["tuning"]["skip_below"], 0.125);
  EXPECT_EQ(tuned["resolved"]["threads"], 1);
  EXPECT_TRUE(Train({"--tune=off"})["tuning"].is_null());
  EXPECT_EQ(Train({"--isa=sse2"})["resolved"]["isa"], "sse2");
  // Nothing is left open, or nothing is measured for it.
  EXPECT_TRUE(Train({"--isa=sse2", "--threads=1", "--skip_zeros=no"})["tuning"].is_null());
  EXPECT_TRUE(Train({"--strategy=fused"})["tuning"].is_null());
  // An instruction set that is the fastest for single precision need not be for other precisions.
  WriteFile(0.125, "sse2");
  EXPECT_EQ(Train({})["resolved"]["isa"], "sse2");
  const Json words = Train({"--precision=bf16"});
  EXPECT_EQ(words["resolved"]["isa"], std::string(Name(BestIsa())));
  EXPECT_EQ(words["resolved"]["threads"], 1);
  setenv("MLP_TUNE", "off", 1);
  EXPECT_TRUE(Train({})["tuning"].is_null());
}

TEST_F(TuneTest, TheFirstTrainingMeasuresAndSaysSo) {
  const std::vector<std::string> flags = {"--model=36-64-10", "--epochs=1"};
  EXPECT_THAT(mlp_.Train(flags).errors, HasSubstr("mlp: note: measured this machine in "));
  EXPECT_THAT(mlp_.Train(flags).errors, Not(HasSubstr("measured")));
  std::ofstream(File()) << "{broken";
  const io::CommandResult broken = mlp_.Train(flags);
  EXPECT_EQ(broken.exit_code, kDone);
  EXPECT_THAT(broken.errors, HasSubstr("it is measured anew: measured this machine in "));
  // Tiny nets and other strategies never wait for it.
  std::filesystem::remove_all(mlp_.Path("cache"));
  EXPECT_THAT(mlp_.Train({"--epochs=1"}).errors, Not(HasSubstr("measured")));
}

}  // namespace
}  // namespace mlp::cli
