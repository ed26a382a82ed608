// How much memory this process may still take.
#pragma once

#include <cstddef>
#include <string>

namespace mlp {

// Bytes that can be had without swapping anything out, within the limits on this process's address
// space and its control groups (version 2); a lot where nobody says. An estimate: others take
// memory, too.
size_t AvailableMemory();

// MemAvailable of a file like /proc/meminfo, in bytes; a lot without one.
size_t MemAvailableOf(const std::string& path);

// What the control group with this directory may still take, in bytes; a lot without a limit.
size_t MemoryLeftIn(const std::string& group);

}  // namespace mlp
