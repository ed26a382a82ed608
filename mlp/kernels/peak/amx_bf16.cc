// Products of bf16 tiles (tdpbf16ps). By intrinsics alone: nothing here may be merged with what
// other files define.
#include <immintrin.h>

#include <cstdint>

#include "mlp/kernels/peak/kernels.h"

namespace mlp::kernels {
namespace {

constexpr size_t kRows = 16;
constexpr size_t kRowBytes = 64;
constexpr size_t kProducts = 4;
static_assert(kProducts * kRows * kRowBytes / sizeof(float) == kTileBf16Elements);

// The layout of LDTILECFG's operand (Intel's manual, volume 2).
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

[[gnu::noinline]] double Run(size_t iterations) {
  TileConfig config;
  for (size_t i = 0; i < 8; ++i) {
    config.row_bytes[i] = kRowBytes;
    config.rows[i] = kRows;
  }
  _tile_loadconfig(&config);
  // 1/16 in bf16: 32 products of two add 1/8 to every element.
  alignas(64) uint16_t operand[kRows * kRowBytes / sizeof(uint16_t)];
  for (uint16_t& x : operand) x = 0x3d80;
  _tile_loadd(4, operand, kRowBytes);
  _tile_loadd(5, operand, kRowBytes);
  _tile_loadd(6, operand, kRowBytes);
  _tile_loadd(7, operand, kRowBytes);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (size_t k = 0; k < iterations; ++k) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  alignas(64) float sums[kTileBf16Elements];
  _tile_stored(0, sums, kRowBytes);
  _tile_stored(1, sums + kTileBf16Elements / 4, kRowBytes);
  _tile_stored(2, sums + kTileBf16Elements / 2, kRowBytes);
  _tile_stored(3, sums + kTileBf16Elements / 4 * 3, kRowBytes);
  _tile_release();
  double total = 0;
  for (size_t i = 0; i < kTileBf16Elements; ++i) total += static_cast<double>(sums[i]);
  return total;
}

}  // namespace

const ArithmeticLoop& TileBf16Loop() {
  // Each product: 16 x 16 sums of 32 products.
  static constexpr ArithmeticLoop kLoop = {kProducts * 2.0 * 16 * 16 * 32, Run};
  return kLoop;
}

}  // namespace mlp::kernels
