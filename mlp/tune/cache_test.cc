#include "mlp/tune/cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "mlp/io/atomic_file.h"
#include "mlp/record/json.h"
#include "mlp/tune/tuned.h"

namespace mlp::tune {
namespace {

const Key kKey = {.machine = "CPU, avx2, 4 threads", .build = "1.0, kernels abc"};
const Space kSpace = {.isas = {Isa::kSse2, Isa::kAvx2}, .threads = 4};
const Tuning kTuning = {
    .isa = Isa::kAvx2,
    .threads = 2,
    .skip_below = 0.25,
    .timings = {{{.isa = Isa::kAvx2, .threads = 2, .skip_zeros = true, .density = 0.5}, 1e-3}}};

// The cache is a directory of the test's own.
class CacheTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "/" +
            testing::UnitTest::GetInstance()->current_test_info()->name() + "/cache";
    std::filesystem::remove_all(root_);
    setenv("XDG_CACHE_HOME", root_.c_str(), 1);
    unsetenv("MLP_TUNE");
    path_ = *CacheFile(kKey);
  }
  // What Load says of a file in which `from` stands for `to`.
  absl::Status After(const std::string& from, const std::string& to) const {
    EXPECT_TRUE(Save(path_, kKey, kTuning).ok());
    const std::string text = *io::ReadFile(path_, 1 << 20);
    EXPECT_TRUE(absl::StrContains(text, from)) << text;
    EXPECT_TRUE(io::WriteFileAtomically(path_, absl::StrReplaceAll(text, {{from, to}})).ok());
    return Load(path_, kKey, kSpace).status();
  }
  std::string root_, path_;
};

TEST_F(CacheTest, WhatIsSavedIsLoaded) {
  EXPECT_EQ(Load(path_, kKey, kSpace).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Save(path_, kKey, kTuning).ok());
  const auto tuning = Load(path_, kKey, kSpace);
  ASSERT_TRUE(tuning.ok()) << tuning.status();
  EXPECT_EQ(tuning->isa, Isa::kAvx2);
  EXPECT_EQ(tuning->threads, 2);
  EXPECT_EQ(tuning->skip_below, 0.25);
  ASSERT_EQ(tuning->timings.size(), 1u);
  EXPECT_EQ(tuning->timings[0].candidate, kTuning.timings[0].candidate);
  EXPECT_EQ(tuning->timings[0].step_s, 1e-3);
  EXPECT_TRUE(Remove(path_).ok());
  EXPECT_EQ(Load(path_, kKey, kSpace).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Remove(path_).code(), absl::StatusCode::kNotFound);
}

TEST_F(CacheTest, OfAnotherMachineOrBuildItIsForeign) {
  ASSERT_TRUE(Save(path_, kKey, kTuning).ok());
  for (const Key& other : {Key{"CPU, avx2, 8 threads", kKey.build}, Key{kKey.machine, "1.1"}}) {
    const absl::Status status = Load(path_, other, kSpace).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(absl::StrContains(status.message(), path_)) << status;
  }
}

TEST_F(CacheTest, ABrokenFileIsNamedAndNotFollowed) {
  for (const auto& [from, to] : {std::pair("{", "["),
                                 {"\"format\": 1", "\"format\": 2"},
                                 {"\"tuning\": {", "\"other\": {"},
                                 {"\"isa\": \"avx2\"", "\"isa\": \"avx512\""},
                                 {"\"isa\": \"avx2\"", "\"isa\": 7"},
                                 {"\"threads\": 2", "\"threads\": 0"},
                                 {"\"threads\": 2", "\"threads\": 5"},
                                 {"\"threads\": 2", "\"threads\": \"2\""},
                                 {"\"skip_below\": 0.25", "\"skip_below\": 1.5"},
                                 {"\"steady\": true", "\"steady\": 1"},
                                 {"\"timings\"", "\"times\""},
                                 {"\"density\"", "\"thickness\""},
                                 {"\"step_s\": 0.001", "\"step_s\": true"},
                                 {"\"skip_below\": 0.25", "\"skip_below\": null"}}) {
    const absl::Status status = After(from, to);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << from << " " << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), path_)) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "measure")) << "the caller's to say";
  }
}

TEST_F(CacheTest, LiesInTheUsersCacheDirectory) {
  EXPECT_TRUE(absl::StartsWith(path_, root_ + "/mlp-lab/tune-"));
  EXPECT_NE(*CacheFile({"another machine", kKey.build}), path_);
  EXPECT_EQ(*CacheFile({kKey.machine, "another build"}), path_);
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", "/home/me", 1);
  EXPECT_TRUE(absl::StartsWith(*CacheFile(kKey), "/home/me/.cache/mlp-lab/tune-"));
  unsetenv("HOME");
  EXPECT_EQ(CacheFile(kKey).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CacheTest, ThisMachinesIsFoundUnlessItIsOff) {
  EXPECT_FALSE(Cached());
  const Key key = ThisKey();
  EXPECT_NE(key.machine, "");
  ASSERT_TRUE(Save(*CacheFile(key), key, {.threads = 1, .skip_below = 0.5}).ok());
  ASSERT_TRUE(Cached());
  EXPECT_EQ(Cached()->skip_below, 0.5);
  std::string note;
  EXPECT_EQ(CachedOrMeasured(&note)->skip_below, 0.5);
  EXPECT_EQ(note, "");
  setenv("MLP_TUNE", "Off", 1);
  EXPECT_TRUE(IsOff());
  EXPECT_FALSE(Cached());
  EXPECT_FALSE(CachedOrMeasured(&note));
}

TEST_F(CacheTest, WhatABusyMachineSaidIsMeasuredAgainAfterAnHour) {
  const Key key = ThisKey();
  const std::string path = *CacheFile(key);
  const auto measured_after = [&](bool steady, std::chrono::minutes age) {
    EXPECT_TRUE(Save(path, key, {.threads = 1, .skip_below = 0.5, .steady = steady}).ok());
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - age);
    std::string note;
    CachedOrMeasured(&note);
    return absl::StartsWith(note, "measured this machine");
  };
  EXPECT_FALSE(measured_after(/*steady=*/true, std::chrono::minutes(61)));
  EXPECT_FALSE(measured_after(/*steady=*/false, std::chrono::minutes(59)));
  EXPECT_TRUE(measured_after(/*steady=*/false, std::chrono::minutes(61)));
}

}  // namespace
}  // namespace mlp::tune
