// The instruction sets that kernels exist for, and which of them this CPU has.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mlp {

enum class Isa {
#define MLP_ISA(enumerator, name, arch) enumerator,
#include "mlp/base/isas.inc"
#undef MLP_ISA
};

inline constexpr std::array kIsas = {
#define MLP_ISA(enumerator, name, arch) Isa::enumerator,
#include "mlp/base/isas.inc"
#undef MLP_ISA
};

absl::string_view Name(Isa isa);

// Those that this CPU and its operating system can run, slowest first. Never empty.
const std::vector<Isa>& SupportedIsas();

bool IsSupported(Isa isa);
inline Isa BestIsa() { return SupportedIsas().back(); }

// An extension of AVX-512: products of pairs of bfloat16.
bool HasAvx512Bf16();
// Another: bytes to the places of bits.
bool HasAvx512Vbmi2();
// Another: products of tiles of bfloat16. The first question asks the operating system for the
// tiles, for all threads of the process.
bool HasAmxBf16();

// Features of this CPU that matter here, in /proc/cpuinfo's names, e.g. "avx2", "amx_bf16".
std::vector<std::string> CpuFeatures();

}  // namespace mlp
