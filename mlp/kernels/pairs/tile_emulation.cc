#include "mlp/kernels/pairs/tile_emulation.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "mlp/base/simd.h"
#include "mlp/kernels/pairs/tile_kernels.h"

namespace mlp::kernels {
namespace {

thread_local float tiles[8][kTileSide][kTileSide];

float Flush(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return (bits & 0x7f800000) == 0 ? std::bit_cast<float>(bits & 0x80000000) : x;
}
float Lower(float word) { return Flush(std::bit_cast<float>(std::bit_cast<uint32_t>(word) << 16)); }
float Upper(float word) {
  return Flush(std::bit_cast<float>(std::bit_cast<uint32_t>(word) & 0xffff0000));
}

// a b + c, rounded once, denormals flushed.
float FusedMultiplyAdd(float a, float b, float c) {
  // A product of two bfloat16 has 16 bits: exact, unless its exponent leaves the range.
  const float product = a * b;
  const bool exact = std::abs(product) >= 0x1p-126f && std::abs(product) <= 0x1p127f;
  return Flush(exact || a == 0 || b == 0 ? product + c : std::fma(a, b, c));
}

struct EmulatedUnit {
  template <int kTile>
  static void Load(const void* from, size_t bytes) {
    for (size_t i = 0; i < kTileSide; ++i) {
      std::memcpy(tiles[kTile][i], static_cast<const char*>(from) + i * bytes, sizeof(*tiles[0]));
    }
  }
  template <int kTile>
  static void Zero() {
    std::memset(tiles[kTile], 0, sizeof(tiles[kTile]));
  }
  // Volume 2, TDPBF16PS.
  template <int kSum, int kA, int kB>
  static void Dot() {
    for (size_t i = 0; i < kTileSide; ++i) {
      float lower[kTileSide] = {}, upper[kTileSide] = {};
      for (size_t k = 0; k < kTileSide; ++k) {
        const float a = tiles[kA][i][k];
        for (size_t j = 0; j < kTileSide; ++j) {
          lower[j] = FusedMultiplyAdd(Lower(a), Lower(tiles[kB][k][j]), lower[j]);
          upper[j] = FusedMultiplyAdd(Upper(a), Upper(tiles[kB][k][j]), upper[j]);
        }
      }
      for (size_t j = 0; j < kTileSide; ++j) {
        float& sum = tiles[kSum][i][j];
        sum = Flush(Flush(sum) + Flush(lower[j] + upper[j]));
      }
    }
  }
  template <int kTile>
  static void Store(void* to, size_t bytes) {
    for (size_t i = 0; i < kTileSide; ++i) {
      std::memcpy(static_cast<char*>(to) + i * bytes, tiles[kTile][i], sizeof(*tiles[0]));
    }
  }
};

}  // namespace

const PairKernels& EmulatedTilePairTable() {
  static constexpr PairKernels kTable = TileTable<EmulatedUnit>("emulated amx_bf16", nullptr);
  return kTable;
}

}  // namespace mlp::kernels
