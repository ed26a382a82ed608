// Unpacks 64 bytes by one instruction (vpexpandb).
#include <immintrin.h>

#include "mlp/kernels/sparse/kernels.h"
#include "mlp/kernels/sparse/unpack.h"

namespace mlp::kernels {

void UnpackByExpanding(const SparseUnpack& job) {
  UnpackRows(job, [](uint64_t bits, const uint8_t* from, uint8_t* to) {
    // What is loaded beyond the row's bytes goes nowhere.
    _mm512_storeu_si512(to, _mm512_maskz_expand_epi8(bits, _mm512_loadu_si512(from)));
  });
}

}  // namespace mlp::kernels
