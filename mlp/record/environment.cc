#include "mlp/record/environment.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "mlp/base/caches.h"
#include "mlp/base/isa.h"
#include "mlp/base/team.h"
#include "mlp/record/build_flags.h"
#include "mlp/record/gpu.h"
#include "mlp/version/version.h"

namespace mlp::record {
namespace {

// Files of /proc and /sys have no length of their own: read to the end. "" if it is not there.
std::string SystemFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return std::string(absl::StripAsciiWhitespace(text));
}

std::optional<std::string> OptionalSystemFile(const std::string& path) {
  std::string text = SystemFile(path);
  if (text.empty()) return std::nullopt;
  return text;
}

// The value of the first line "<key> : <value>".
std::string Field(const std::string& text, absl::string_view key) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (absl::StripAsciiWhitespace(parts.first) == key) {
      return std::string(absl::StripAsciiWhitespace(parts.second));
    }
  }
  return "";
}

// "123 kB" in bytes; 0 if it is something else.
uint64_t Bytes(absl::string_view text) {
  uint64_t unit = 1;
  absl::ConsumeSuffix(&text, "B");
  if (absl::ConsumeSuffix(&text, "K") || absl::ConsumeSuffix(&text, "k")) unit = 1 << 10;
  if (absl::ConsumeSuffix(&text, "M")) unit = 1 << 20;
  if (absl::ConsumeSuffix(&text, "G")) unit = 1 << 30;
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number * unit : 0;
}

std::optional<std::string> ReadCgroupCpuMax(const std::string& root) {
  // The line "0::<path>" names this process's group in the one hierarchy of version 2.
  for (absl::string_view line : absl::StrSplit(SystemFile(root + "/proc/self/cgroup"), '\n')) {
    if (!absl::ConsumePrefix(&line, "0::")) continue;
    auto own = OptionalSystemFile(absl::StrCat(root, "/sys/fs/cgroup", line, "/cpu.max"));
    if (own) return own;
  }
  // In a container the group's path may be the host's; its own group is then the root.
  return OptionalSystemFile(root + "/sys/fs/cgroup/cpu.max");
}

std::optional<double> ReadLoadAverage(const std::string& root) {
  const std::string text = SystemFile(root + "/proc/loadavg");
  double load = 0;
  if (!absl::SimpleAtod(text.substr(0, text.find(' ')), &load)) return std::nullopt;
  return load;
}

// FNV-1a (Fowler, Noll, Vo): short, and the same in every version of every library.
uint64_t Fnv1a(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string MachineId(const Machine& machine) {
  // Kernels keep differing parts of the memory to themselves: whole GiB are stable.
  const auto gib = std::llround(static_cast<double>(machine.memory_bytes) / (1 << 30));
  const std::string text =
      absl::StrCat(machine.cpu, "|", machine.cores, "|", absl::StrJoin(machine.isa, ","), "|", gib);
  return absl::StrFormat("%08x", static_cast<uint32_t>(Fnv1a(text) >> 32));
}

}  // namespace

Machine ReadMachine(const std::string& root) {
  Machine machine;
  machine.cpu = Field(SystemFile(root + "/proc/cpuinfo"), "model name");
  if (machine.cpu.empty()) machine.cpu = "unknown";
  machine.cores = AvailableThreads();
  machine.isa = CpuFeatures();
  machine.caches = CacheSizes(root);
  // "16384 kB"
  machine.memory_bytes = Bytes(absl::StrJoin(
      absl::StrSplit(Field(SystemFile(root + "/proc/meminfo"), "MemTotal"), ' '), ""));
  machine.gpu = ReadGpu();
  machine.governor =
      OptionalSystemFile(root + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  machine.cgroup_cpu_max = ReadCgroupCpuMax(root);
  machine.load_average = ReadLoadAverage(root);
  machine.id = MachineId(machine);
  return machine;
}

Build ReadBuild() {
  Build build;
#if defined(__clang__)
  build.compiler =
      absl::StrCat("clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#else
  build.compiler = absl::StrCat("gcc ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__);
#endif
  build.mode = kBuildMode;
  build.copts = kBuildCopts;
#if defined(__SANITIZE_ADDRESS__)
  build.copts += " -fsanitize=address";
#endif
#if defined(__SANITIZE_THREAD__)
  build.copts += " -fsanitize=thread";
#endif
  return build;
}

std::optional<CpuTimes> ReadCpuTimes(const std::string& root) {
  const std::string text = SystemFile(root + "/proc/stat");
  const std::vector<std::string> fields =
      absl::StrSplit(text.substr(0, text.find('\n')), ' ', absl::SkipEmpty());
  // cpu user nice system idle iowait irq softirq steal; guest time after that is part of user.
  constexpr size_t kSteal = 8;
  if (fields.size() <= kSteal || fields[0] != "cpu") return std::nullopt;
  CpuTimes times;
  for (size_t i = 1; i <= kSteal; ++i) {
    uint64_t ticks = 0;
    if (!absl::SimpleAtoi(fields[i], &ticks)) return std::nullopt;
    times.total += ticks;
    if (i == kSteal) times.steal = ticks;
  }
  return times;
}

std::optional<double> StealPct(const std::optional<CpuTimes>& before,
                               const std::optional<CpuTimes>& after) {
  if (!before || !after || after->total <= before->total || after->steal < before->steal) {
    return std::nullopt;
  }
  return 100.0 * static_cast<double>(after->steal - before->steal) /
         static_cast<double>(after->total - before->total);
}

std::string NowUtc() {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
}

Record NewRecord(std::string experiment, std::string question) {
  const version::SourceState source = version::ReadSourceState();
  Record record;
  record.experiment = std::move(experiment);
  record.question = std::move(question);
  record.started_utc = NowUtc();
  record.commit = source.commit;
  record.dirty = source.dirty;
  record.machine = ReadMachine();
  record.build = ReadBuild();
  return record;
}

}  // namespace mlp::record
