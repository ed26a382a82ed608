#include "mlp/kernels/amx.h"

#include <cstdint>

namespace mlp::kernels {
namespace {

// The layout of LDTILECFG's operand (volume 2).
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

void Enter() {
  const TileConfig config;
  asm volatile("ldtilecfg %0" ::"m"(config));
}
void Leave() { asm volatile("tilerelease"); }

}  // namespace

const ThreadState kTileState = {Enter, Leave};

}  // namespace mlp::kernels
