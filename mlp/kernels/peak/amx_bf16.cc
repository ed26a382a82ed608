// Products of bf16 tiles (tdpbf16ps).
#include <cstdint>

#include "mlp/kernels/amx.h"
#include "mlp/kernels/peak/kernels.h"

namespace mlp::kernels {
namespace {

constexpr size_t kRows = 16;
constexpr size_t kRowBytes = 64;
constexpr size_t kProducts = 4;
static_assert(kProducts * kRows * kRowBytes / sizeof(float) == kTileBf16Elements);

[[gnu::noinline]] double Run(size_t iterations) {
  HoldInTeam(kTileState);
  // 1/16 in bf16: 32 products of two add 1/8 to every element.
  alignas(64) uint16_t operand[kRows * kRowBytes / sizeof(uint16_t)];
  for (uint16_t& x : operand) x = 0x3d80;
  AmxUnit::Load<4>(operand, kRowBytes);
  AmxUnit::Load<5>(operand, kRowBytes);
  AmxUnit::Load<6>(operand, kRowBytes);
  AmxUnit::Load<7>(operand, kRowBytes);
  AmxUnit::Zero<0>();
  AmxUnit::Zero<1>();
  AmxUnit::Zero<2>();
  AmxUnit::Zero<3>();
  for (size_t k = 0; k < iterations; ++k) {
    AmxUnit::Dot<0, 4, 6>();
    AmxUnit::Dot<1, 4, 7>();
    AmxUnit::Dot<2, 5, 6>();
    AmxUnit::Dot<3, 5, 7>();
  }
  alignas(64) float sums[kTileBf16Elements];
  AmxUnit::Store<0>(sums, kRowBytes);
  AmxUnit::Store<1>(sums + kTileBf16Elements / 4, kRowBytes);
  AmxUnit::Store<2>(sums + kTileBf16Elements / 2, kRowBytes);
  AmxUnit::Store<3>(sums + kTileBf16Elements / 4 * 3, kRowBytes);
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
