// The sizes of the CPU's caches, as Linux tells them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace mlp {

// {"L1d_bytes", 49152}, {"L1i_bytes", ...}, {"L2_bytes", ...}, ...: of one cache of each kind,
// those of the first CPU. Empty where the system does not say. `root` stands before /sys, for
// tests.
std::map<std::string, uint64_t> CacheSizes(const std::string& root = "");

}  // namespace mlp
