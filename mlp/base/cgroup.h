// The control groups (version 2) that limit this process.
#pragma once

#include <string>
#include <vector>

namespace mlp {

// The directories of the groups in a file like /proc/self/cgroup, below `root`: the process's own
// first, then those above it, `root` last. Where the file names none, `root` alone.
std::vector<std::string> CgroupDirectories(const std::string& file = "/proc/self/cgroup",
                                           const std::string& root = "/sys/fs/cgroup");

}  // namespace mlp
