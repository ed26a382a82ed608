#include "mlp/record/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "mlp/record/validate.h"

namespace mlp::record {
namespace {

namespace fs = std::filesystem;

// A machine of files.
class EnvironmentTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = (fs::path(testing::TempDir()) /
             testing::UnitTest::GetInstance()->current_test_info()->name())
                .string();
    fs::remove_all(root_);
  }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }

  std::string root_;
};

TEST_F(EnvironmentTest, ReadsTheMachine) {
  Write("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nmodel name\t: other\n");
  Write("/proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n");
  Write("/proc/loadavg", "0.52 0.40 0.30 1/200 1234\n");
  Write("/proc/self/cgroup", "0::/some/group\n");
  Write("/sys/fs/cgroup/some/group/cpu.max", "150000 100000\n");
  Write("/sys/fs/cgroup/cpu.max", "max 100000\n");
  Write("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
  const std::string cache = "/sys/devices/system/cpu/cpu0/cache/";
  const char* const caches[][3] = {{"1", "Data", "48K"},
                                   {"1", "Instruction", "32K"},
                                   {"2", "Unified", "2048K"},
                                   {"3", "Unified", "260M"}};
  for (size_t i = 0; i < std::size(caches); ++i) {
    const std::string index = cache + "index" + std::to_string(i) + "/";
    Write(index + "level", caches[i][0]);
    Write(index + "type", caches[i][1]);
    Write(index + "size", caches[i][2]);
  }
  const Machine machine = ReadMachine(root_);
  EXPECT_EQ(machine.cpu, "Some CPU @ 3 GHz");
  EXPECT_EQ(machine.memory_bytes, uint64_t{16} << 20);
  EXPECT_EQ(machine.load_average, 0.52);
  EXPECT_EQ(machine.cgroup_cpu_max, "150000 100000");
  EXPECT_EQ(machine.governor, "performance");
  EXPECT_THAT(
      machine.caches,
      testing::ElementsAre(std::pair("L1d_bytes", 48u << 10), std::pair("L1i_bytes", 32u << 10),
                           std::pair("L2_bytes", 2u << 20), std::pair("L3_bytes", 260u << 20)));
  EXPECT_THAT(machine.id, testing::MatchesRegex("[0-9a-f]{8}"));
}

TEST_F(EnvironmentTest, AnEmptyMachineIsUnknown) {
  const Machine machine = ReadMachine(root_);
  EXPECT_EQ(machine.cpu, "unknown");
  EXPECT_EQ(machine.memory_bytes, 0u);
  EXPECT_EQ(machine.load_average, std::nullopt);
  EXPECT_EQ(machine.cgroup_cpu_max, std::nullopt);
  EXPECT_EQ(machine.governor, std::nullopt);
  EXPECT_TRUE(machine.caches.empty());
  EXPECT_GE(machine.cores, 1);
}

TEST_F(EnvironmentTest, IdNamesTheMachineNotTheMoment) {
  Write("/proc/cpuinfo", "model name : A\n");
  Write("/proc/meminfo", "MemTotal: 16384000 kB\n");
  const std::string id = ReadMachine(root_).id;
  Write("/proc/loadavg", "7 7 7\n");
  Write("/proc/meminfo", "MemTotal: 16384100 kB\n");
  EXPECT_EQ(ReadMachine(root_).id, id);
  Write("/proc/cpuinfo", "model name : B\n");
  EXPECT_NE(ReadMachine(root_).id, id);
}

TEST_F(EnvironmentTest, StealBetweenTwoReadings) {
  Write("/proc/stat", "cpu  100 0 100 700 0 0 0 100 55 0\ncpu0 1 1\n");
  const auto before = ReadCpuTimes(root_);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->total, 1000u);
  EXPECT_EQ(before->steal, 100u);
  Write("/proc/stat", "cpu  150 0 100 720 0 0 0 130 99 0\n");
  EXPECT_EQ(StealPct(before, ReadCpuTimes(root_)), 30.0);
  EXPECT_EQ(StealPct(before, before), std::nullopt);
  Write("/proc/stat", "cpu 1 2\n");
  EXPECT_EQ(ReadCpuTimes(root_), std::nullopt);
  EXPECT_EQ(StealPct(before, std::nullopt), std::nullopt);
}

TEST(BuildTest, NamesTheCompilation) {
  const Build build = ReadBuild();
  EXPECT_THAT(build.compiler, testing::ContainsRegex("^(gcc|clang) [0-9]+"));
  EXPECT_THAT(build.mode, testing::AnyOf("opt", "dbg", "fastbuild"));
  EXPECT_THAT(build.copts, testing::HasSubstr("-ffp-contract=off"));
}

TEST(NewRecordTest, IsAValidHead) {
  Record record = NewRecord("some_experiment", "What is it?");
  record.id = "20260131T120000Z-unknown-0";
  EXPECT_TRUE(Validate(ToJson(record), "x").ok()) << Validate(ToJson(record), "x");
}

}  // namespace
}  // namespace mlp::record
