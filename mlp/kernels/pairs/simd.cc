// Products of words by dot products. Built once more with -mavx512bf16.
#include "mlp/base/simd.h"

#include <bit>
#include <span>

#include "mlp/kernels/pairs/kernels.h"
#include "mlp/kernels/pairs/pack.h"
#include "mlp/kernels/panel/tiles.h"

namespace mlp::kernels {
namespace {

template <bool kSeveral>
struct Pair {
  static constexpr size_t kSamplesPerLine = 4;
  static constexpr bool kHasTerms = kSeveral;
  static constexpr bool kStartsFromZero = true;
  [[gnu::always_inline]] static V Apply(V element, V row, V sum) {
#ifdef __AVX512BF16__
    return _mm512_dpbf16_ps(sum, std::bit_cast<__m512bh>(static_cast<__m512>(element)),
                            std::bit_cast<__m512bh>(static_cast<__m512>(row)));
#else
    sum = MulAdd(Upper(element), Upper(row), sum);
    return MulAdd(Lower(element), Lower(row), sum);
#endif
  }

 private:
  using Bits = xsimd::batch<uint32_t, V::arch_type>;
  [[gnu::always_inline]] static V Upper(V words) {
    return xsimd::bitwise_cast<V>(xsimd::bitwise_cast<Bits>(words) & Bits(0xffff0000u));
  }
  [[gnu::always_inline]] static V Lower(V words) {
    return xsimd::bitwise_cast<V>(xsimd::bitwise_cast<Bits>(words) << 16);
  }
};

// A single product is that of the first terms, at 0.
void ProductOfTerms(const PanelProduct& job, std::span<const PanelTerm> terms) {
  return terms.size() == 1 ? Product<Pair<false>>(job, terms) : Product<Pair<true>>(job, terms);
}

void UpdateByTerms(OptimizerKind kind, MathMode math, const UpdateStep& step,
                   const PanelUpdate& job, std::span<const PanelTerm> terms) {
  return terms.size() == 1 ? Update<Pair<false>>(kind, math, step, job, terms)
                           : Update<Pair<true>>(kind, math, step, job, terms);
}

void PackXRows(size_t rows, const float* panel, const Split& to) {
  PackRows<kWidth>(rows, 1, panel, to);
}

constexpr PairKernels Table(absl::string_view unit) {
  return {.target = {Backend::kSimd, Isa::MLP_TARGET_ISA},
          .unit = unit,
          .width = kWidth,
          .grain = 1,
          .state = nullptr,
          .product = ProductOfTerms,
          .update = UpdateByTerms,
          .columns = PackColumns<kWidth, float>,
          .rows = PackRows<kWidth>,
          .x_rows = PackXRows,
          .byte_columns = PackByteColumns<kWidth>,
          .byte_rows = PackByteRows<kWidth>};
}

}  // namespace

#ifdef __AVX512BF16__
const PairKernels& NativePairTable() {
  static constexpr PairKernels kTable = Table("avx512_bf16");
  return kTable;
}
#else
template <>
const PairKernels& PairTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr PairKernels kTable = Table("");
  return kTable;
}
#endif

}  // namespace mlp::kernels
