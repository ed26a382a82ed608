// The machine and the build that a record was made with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mlp/record/record.h"

namespace mlp::record {

// Reads /proc and /sys below `root` ("" is the real one; tests have their own). What cannot be seen
// is "unknown", 0 or nothing. steal_pct is left out: see CpuTimes.
Machine ReadMachine(const std::string& root = "");

// Compiler, mode and flags that this code was compiled with.
Build ReadBuild();

// CPU time of the whole machine since it started, in clock ticks of all CPUs.
struct CpuTimes {
  uint64_t total = 0;
  uint64_t steal = 0;  // Taken away by the hypervisor.
};
std::optional<CpuTimes> ReadCpuTimes(const std::string& root = "");

// The part that was stolen between two readings, in percent; nothing if no time went by.
std::optional<double> StealPct(const std::optional<CpuTimes>& before,
                               const std::optional<CpuTimes>& after);

// Now, in UTC, as "2026-01-31T12:00:00Z".
std::string NowUtc();

// A record's head: experiment and question as given, time, commit, machine and build as they are.
Record NewRecord(std::string experiment, std::string question);

}  // namespace mlp::record
