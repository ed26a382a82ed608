#include "mlp/base/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace mlp {
namespace {

// GCC's test includes the operating system's consent (XGETBV).
bool CpuHas(Isa isa) {
  switch (isa) {
    case Isa::kSse2:
      return true;
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
  }
  __builtin_unreachable();
}

// Intel's manual, volume 2, CPUID: leaf 7, subleaf 0, EDX, bits 22 and 24.
bool CpuHasAmxBf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!IsSupported(Isa::kAvx512) || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 ||
      (d >> 22 & 1) == 0 || (d >> 24 & 1) == 0) {
    return false;
  }
  // Whether the operating system saves them (XCR0, bits 17 and 18; volume 1, 13.3).
  unsigned low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned kTileConfigAndData = 3u << 17;
  if ((low & kTileConfigAndData) != kTileConfigAndData) return false;
  // Linux lends the tiles' state to a process that asks for it (Documentation/x86/xstate.rst).
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

absl::string_view Name(Isa isa) {
  switch (isa) {
#define MLP_ISA(enumerator, name, arch) \
  case Isa::enumerator:                 \
    return name;
#include "mlp/base/isas.inc"
#undef MLP_ISA
  }
  __builtin_unreachable();
}

const std::vector<Isa>& SupportedIsas() {
  static const std::vector<Isa> supported = [] {
    std::vector<Isa> isas;
    std::copy_if(kIsas.begin(), kIsas.end(), std::back_inserter(isas), CpuHas);
    return isas;
  }();
  return supported;
}

bool IsSupported(Isa isa) {
  return std::find(SupportedIsas().begin(), SupportedIsas().end(), isa) != SupportedIsas().end();
}

bool HasAvx512Bf16() {
  static const bool has = IsSupported(Isa::kAvx512) && __builtin_cpu_supports("avx512bf16");
  return has;
}

bool HasAvx512Vbmi2() {
  static const bool has = IsSupported(Isa::kAvx512) && __builtin_cpu_supports("avx512vbmi2");
  return has;
}

bool HasAmxBf16() {
  static const bool has = CpuHasAmxBf16();
  return has;
}

std::vector<std::string> CpuFeatures() {
  static constexpr absl::string_view kOfInterest[] = {
      "sse2",     "sse4_1",      "avx",         "avx2",     "fma",      "f16c",
      "avx512f",  "avx512cd",    "avx512bw",    "avx512dq", "avx512vl", "avx512_vnni",
      "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8"};
  std::vector<std::string> features;
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("flags", 0) != 0) continue;
    std::istringstream words(line);
    const std::vector<std::string> flags{std::istream_iterator<std::string>(words), {}};
    for (const absl::string_view name : kOfInterest) {
      if (std::find(flags.begin(), flags.end(), name) != flags.end()) features.emplace_back(name);
    }
    break;
  }
  return features;
}

}  // namespace mlp
