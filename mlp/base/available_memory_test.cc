#include "mlp/base/available_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <limits>

namespace mlp {
namespace {

TEST(AvailableMemoryTest, ReadsTheKernelsFile) {
  const std::string path = testing::TempDir() + "/meminfo";
  std::ofstream(path) << "MemTotal:       1000 kB\nMemFree:    1 kB\nMemAvailable:    123 kB\n";
  EXPECT_EQ(MemAvailableOf(path), 123u * 1024);
  EXPECT_EQ(MemAvailableOf("/no/such/file"), std::numeric_limits<size_t>::max());
}

TEST(AvailableMemoryTest, ReadsWhatAGroupHasLeft) {
  const std::string group = testing::TempDir();
  EXPECT_EQ(MemoryLeftIn("/no/such/group"), std::numeric_limits<size_t>::max());
  std::ofstream(group + "/memory.max") << "max\n";
  std::ofstream(group + "/memory.current") << "300\n";
  EXPECT_EQ(MemoryLeftIn(group), std::numeric_limits<size_t>::max());
  std::ofstream(group + "/memory.max") << "1000\n";
  EXPECT_EQ(MemoryLeftIn(group), 700u);
  std::ofstream(group + "/memory.max") << "200\n";
  EXPECT_EQ(MemoryLeftIn(group), 0u);
}

TEST(AvailableMemoryTest, KeepsWithinTheLimitOfTheProcess) {
  EXPECT_GT(AvailableMemory(), size_t{1} << 20);
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_AS, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = size_t{1} << 40;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  EXPECT_LE(AvailableMemory(), size_t{1} << 40);
  setrlimit(RLIMIT_AS, &before);
}

}  // namespace
}  // namespace mlp
