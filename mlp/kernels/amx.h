// The CPU's tiles (AMX: Intel's manual, volume 1, chapter 18), and products of tiles of bfloat16.
// To be used only where HasAmxBf16().
//
// By assembly: GCC 12's intrinsics take the number of a tile as a literal, and do not say that a
// load reads memory, so that it could overtake the stores before it.
#pragma once

#include <cstddef>

#include "mlp/base/team.h"

namespace mlp::kernels {
// What a thread holds to use them: eight tiles of 16 rows of 64 bytes.
extern const ThreadState kTileState;

namespace {

struct AmxUnit {
  template <int kTile>
  [[gnu::always_inline]] static void Load(const void* from, size_t bytes) {
    asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(kTile), "r"(from), "r"(bytes) : "memory");
  }
  template <int kTile>
  [[gnu::always_inline]] static void Zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
  }
  template <int kSum, int kA, int kB>
  [[gnu::always_inline]] static void Dot() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSum), "i"(kA), "i"(kB));
  }
  template <int kTile>
  [[gnu::always_inline]] static void Store(void* to, size_t bytes) {
    asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(kTile), "r"(to), "r"(bytes) : "memory");
  }
};

}  // namespace
}  // namespace mlp::kernels
