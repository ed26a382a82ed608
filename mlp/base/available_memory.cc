#include "mlp/base/available_memory.h"

#include <sys/resource.h>

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

}  // namespace

size_t MemoryLeftIn(const std::string& group) {
  const size_t most = NumberIn(group + "/memory.max", kALot);
  if (most == kALot) return kALot;
  return most - std::min(most, NumberIn(group + "/memory.current", 0));
}

size_t MemAvailableOf(const std::string& path) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    size_t kib;
    if (word == "MemAvailable:" && file >> kib) return kib * 1024;
  }
  return kALot;
}

size_t AvailableMemory() {
  size_t bytes = MemAvailableOf("/proc/meminfo");
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    bytes = std::min<size_t>(bytes, limit.rlim_cur);
  }
  for (const std::string& group : CgroupDirectories()) {
    bytes = std::min(bytes, MemoryLeftIn(group));
  }
  return bytes;
}

}  // namespace mlp
