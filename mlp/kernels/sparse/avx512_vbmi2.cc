// Unpacks 64 bytes by one instruction (vpexpandb).
#include <immintrin.h>

#include "mlp/kernels/sparse/kernels.h"
#include "mlp/kernels/sparse/unpack.h"

namespace mlp::kernels {

void UnpackByExpanding(const SparseUnpack& job) {
  // What is loaded beyond the row's bytes goes nowhere.
  const auto expand = [](uint64_t bits, const uint8_t* from) {
    return _mm512_maskz_expand_epi8(bits, _mm512_loadu_si512(from));
  };
  if (job.stride == 0) {
    UnpackRows(job,
               [&](uint64_t bits, const uint8_t* from, size_t i, const SparseStretch& stretch) {
                 _mm512_storeu_si512(stretch.to + i * kSparseColumns, expand(bits, from));
               });
    return;
  }
  const size_t stride = job.stride;
  UnpackRows(job, [&](uint64_t bits, const uint8_t* from, size_t i, const SparseStretch& stretch) {
    constexpr size_t kWidth = kSparseColumns / 2;
    const __m512i bytes = expand(bits, from);
    uint8_t* const to = stretch.to + i * kWidth;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(bytes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + stride),
                        _mm512_extracti64x4_epi64(bytes, 1));
  });
}

}  // namespace mlp::kernels
