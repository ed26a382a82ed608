#include "mlp/base/available_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
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
  // Copies of files can be had back.
  std::ofstream(group + "/memory.stat") << "anon 50\ninactive_file 30\nactive_file 200\n";
  EXPECT_EQ(MemoryLeftIn(group), 930u);
  std::ofstream(group + "/memory.stat") << "active_file 20\ninactive_file 1000\n";
  EXPECT_EQ(MemoryLeftIn(group), 1000u);
  std::ofstream(group + "/memory.stat") << "";
  std::ofstream(group + "/memory.max") << "200\n";
  EXPECT_EQ(MemoryLeftIn(group), 0u);
}

TEST(AvailableMemoryTest, KeepsWithinTheLimitOfTheProcess) {
  EXPECT_GT(AvailableMemory(), size_t{1} << 20);
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_AS, &limit), 0);
  const rlimit before = limit;
  // What is mapped already counts against it: a gigabyte that is never touched.
  constexpr size_t kMost = size_t{8} << 30;
  constexpr size_t kMapped = size_t{1} << 30;
  void* const mapped =
      mmap(nullptr, kMapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  limit.rlim_cur = kMost;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  EXPECT_LE(AvailableMemory(), kMost - kMapped);
  setrlimit(RLIMIT_AS, &before);
  munmap(mapped, kMapped);
}

}  // namespace
}  // namespace mlp
