// No instruction runs on a CPU that lacks it (rule R4): the real program on emulated CPUs, where
// such an instruction is the end of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "mlp/cli/cli_testing.h"
#include "mlp/cli/console.h"
#include "mlp/io/subprocess.h"

namespace mlp::cli {
namespace {

using testing::HasSubstr;

struct Cpu {
  std::string name;  // as qemu has it
  std::vector<std::string> isas;
  std::vector<std::string> lacks;
};

std::vector<Cpu> Cpus() {
  return {{"Nehalem", {"sse2"}, {"avx2", "avx512"}}, {"Haswell", {"sse2", "avx2"}, {"avx512"}}};
}

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : std::filesystem::absolute(value).string();
}

io::CommandResult RunOn(const Cpu& cpu, const std::string& program,
                        std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"qemu-x86_64", "-cpu", cpu.name, program});
  const auto result = io::RunCommand(arguments);
  EXPECT_TRUE(result.ok()) << result.status() << "; tools/setup installs qemu-user";
  return result.value_or(io::CommandResult{});
}

class QemuTest : public testing::Test {
 protected:
  io::CommandResult Train(const Cpu& cpu, std::vector<std::string> flags) const {
    return RunOn(cpu, mlp_, runner_.TrainArguments(std::move(flags)));
  }

  const std::string mlp_ = FromEnvironment("MLP_BINARY");
  const MlpRunner runner_;
};

// Else none of the other tests could fail.
TEST_F(QemuTest, AnEmulatedCpuRefusesWhatItLacks) {
  const std::string program = FromEnvironment("ONE_INSTRUCTION");
  for (const Cpu& cpu : Cpus()) {
    for (const std::string& isa : cpu.isas) {
      EXPECT_EQ(RunOn(cpu, program, {isa}).exit_code, 0) << cpu.name << ", " << isa;
    }
    for (const std::string& isa : cpu.lacks) {
      EXPECT_EQ(RunOn(cpu, program, {isa}).exit_code, 128 + SIGILL) << cpu.name << ", " << isa;
    }
  }
}

TEST_F(QemuTest, TakesTheBestThatTheCpuHas) {
  for (const Cpu& cpu : Cpus()) {
    const auto result = Train(cpu, {"--epochs=1", "--threads=2", "--json"});
    ASSERT_EQ(result.exit_code, kDone) << cpu.name << ": " << result.errors;
    const Json document = Json::parse(result.output, nullptr, false);
    ASSERT_TRUE(document.is_object()) << result.output;
    EXPECT_EQ(document["resolved"]["isa"], cpu.isas.back()) << cpu.name;
    EXPECT_EQ(document["test"]["samples"], 50);
  }
}

// Every file of kernels that the CPU can run, by every strategy that calls them differently.
TEST_F(QemuTest, RunsWithAllKernelsOfTheCpu) {
  for (const Cpu& cpu : Cpus()) {
    for (const std::string& isa : cpu.isas) {
      for (const std::string backend : {"autovec", "eigen", "simd"}) {
        for (const std::string strategy : {"fused", "materialized", "tensor_parallel"}) {
          if (strategy == "tensor_parallel" && backend != "simd") continue;
          const auto result =
              Train(cpu, {"--epochs=1", "--threads=1", "--isa=" + isa, "--backend=" + backend,
                          "--strategy=" + strategy, "--math=fast"});
          EXPECT_EQ(result.exit_code, kDone) << cpu.name << ", " << backend << "/" << isa << ", "
                                             << strategy << ": " << result.errors;
        }
      }
    }
  }
}

// What the engine does by kernels of their own: inputs that are 0 left out, words of bfloat16,
// every optimizer, activations, losses, layers of several panels, the profile and its peaks.
TEST_F(QemuTest, RunsEveryWayOfTheEngine) {
  const std::vector<std::vector<std::string>> ways = {
      {"--skip_zeros=yes"},
      {"--skip_zeros=no", "--model=36-150-70-10"},
      {"--skip_zeros=yes", "--model=36-150-silu-70-tanh-10-sigmoid"},
      {"--precision=bf16"},
      {"--precision=bf16x3", "--model=36-150-70-10-linear"},
      {"--precision=split3"},
      {"--profile"},
      {"--optimizer=sgd"},
      {"--optimizer=momentum", "--weight_decay=0.1"},
      {"--optimizer=rmsprop", "--math=exact"},
      {"--strategy=tiny"},
  };
  for (const Cpu& cpu : Cpus()) {
    for (const std::string& isa : cpu.isas) {
      for (const std::vector<std::string>& way : ways) {
        std::vector<std::string> flags = way;
        flags.insert(flags.end(), {"--epochs=1", "--threads=2", "--isa=" + isa});
        if (!way.front().starts_with("--strategy=")) flags.push_back("--strategy=tensor_parallel");
        const auto result = Train(cpu, flags);
        EXPECT_EQ(result.exit_code, kDone)
            << cpu.name << ", " << isa << ", " << way.front() << ": " << result.errors;
      }
    }
  }
}

TEST_F(QemuTest, PredictsAndMeasuresItself) {
  setenv("XDG_CACHE_HOME", runner_.Path("cache").c_str(), 1);  // for what is measured
  const std::string model = runner_.Path("model.mlp");
  const auto trained = runner_.Train({"--epochs=1", "--out=" + model, "--quiet"});
  ASSERT_EQ(trained.exit_code, kDone) << trained.errors;
  for (const Cpu& cpu : Cpus()) {
    const auto result = RunOn(cpu, mlp_, {"evaluate", "--in=" + model, "--data=" + runner_.data()});
    EXPECT_EQ(result.exit_code, kDone) << cpu.name << ": " << result.errors;
  }
  // On the CPU that has the least: an emulator takes long for it.
  const auto tuned = RunOn(Cpus().front(), mlp_, {"tune", "--json"});
  EXPECT_EQ(tuned.exit_code, kDone) << tuned.errors;
}

TEST_F(QemuTest, WhatTheCpuLacksIsAClearError) {
  for (const Cpu& cpu : Cpus()) {
    for (const std::string& isa : cpu.lacks) {
      const auto result = Train(cpu, {"--epochs=1", "--isa=" + isa});
      EXPECT_EQ(result.exit_code, kWrongUse) << cpu.name << ", " << isa;
      EXPECT_THAT(result.errors, HasSubstr("this CPU lacks " + isa));
      for (const std::string& has : cpu.isas) EXPECT_THAT(result.errors, HasSubstr(has));
    }
  }
}

}  // namespace
}  // namespace mlp::cli
