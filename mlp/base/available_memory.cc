#include "mlp/base/available_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "mlp/base/cgroup.h"

namespace mlp {
namespace {

constexpr size_t kALot = std::numeric_limits<size_t>::max();

size_t NumberIn(const std::string& path, size_t otherwise) {
  std::ifstream file(path);
  size_t number;
  return file >> number ? number : otherwise;
}

size_t NumberAfter(const std::string& path, const std::string& name, size_t otherwise) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    size_t number;
    if (word == name && file >> number) return number;
  }
  return otherwise;
}

}  // namespace

size_t MemoryLeftIn(const std::string& group) {
  const size_t most = NumberIn(group + "/memory.max", kALot);
  if (most == kALot) return kALot;
  // Copies of files, which the kernel drops where memory is asked for, are not taken.
  const size_t used = NumberIn(group + "/memory.current", 0);
  const size_t files = NumberAfter(group + "/memory.stat", "active_file", 0) +
                       NumberAfter(group + "/memory.stat", "inactive_file", 0);
  return most - std::min(most, used - std::min(used, files));
}

size_t MemAvailableOf(const std::string& path) {
  const size_t kib = NumberAfter(path, "MemAvailable:", kALot);
  return kib == kALot ? kALot : kib * 1024;
}

size_t AvailableMemory() {
  size_t bytes = MemAvailableOf("/proc/meminfo");
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const size_t most = limit.rlim_cur;
    // The first number says how many pages are mapped.
    const size_t mapped =
        NumberIn("/proc/self/statm", 0) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
    bytes = std::min(bytes, most - std::min(most, mapped));
  }
  for (const std::string& group : CgroupDirectories()) {
    bytes = std::min(bytes, MemoryLeftIn(group));
  }
  return bytes;
}

}  // namespace mlp
