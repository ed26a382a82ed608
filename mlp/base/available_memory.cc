#include "mlp/base/available_memory.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace mlp {
namespace {

constexpr size_t kALot = std::numeric_limits<size_t>::max();

size_t NumberIn(const std::string& path, size_t otherwise) {
  std::ifstream file(path);
  size_t number;
  return file >> number ? number : otherwise;
}

}  // namespace

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
  const std::string group = "/sys/fs/cgroup/memory.";
  const size_t most = NumberIn(group + "max", kALot);
  const size_t taken = NumberIn(group + "current", 0);
  return most == kALot ? bytes : std::min(bytes, most - std::min(most, taken));
}

}  // namespace mlp
