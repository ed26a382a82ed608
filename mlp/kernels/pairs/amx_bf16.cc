// Products of words by the CPU's tiles.
#include "mlp/base/simd.h"
#include "mlp/kernels/amx.h"
#include "mlp/kernels/pairs/tile_kernels.h"

namespace mlp::kernels {

const PairKernels& TilePairTable() {
  static constexpr PairKernels kTable = TileTable<AmxUnit>("amx_bf16", &kTileState);
  return kTable;
}

}  // namespace mlp::kernels
