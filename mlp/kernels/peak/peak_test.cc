// That the loops compute what they say: how fast they do is for experiments.
#include "mlp/kernels/peak/peak.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "mlp/base/aligned_buffer.h"
#include "mlp/kernels/pairs/pairs.h"
#include "mlp/kernels/peak/kernels.h"

namespace mlp::kernels {
namespace {

TEST(PeakTest, ChainsOfMultiplyAddsAreAllRun) {
  for (const Isa isa : SupportedIsas()) {
    const PeakKernels& kernels = FindPeakKernels(isa);
    EXPECT_EQ(kernels.multiply_add.flop_per_iteration, 2.0 * static_cast<double>(kernels.chains));
    const size_t lanes = kernels.chains % 16 == 0 && isa == Isa::kAvx512 ? 16
                         : isa == Isa::kAvx2                             ? 8
                                                                         : 4;
    for (const size_t iterations : {0, 1, 2, 7}) {
      double expected = 0;
      for (size_t chain = 0; chain < kernels.chains / lanes; ++chain) {
        double x = static_cast<double>(chain) / 1024;
        for (size_t k = 0; k < iterations; ++k) x = x * kFmaFactor + kFmaAddend;
        expected += static_cast<double>(lanes) * x;
      }
      EXPECT_NEAR(kernels.multiply_add.run(iterations), expected, 1e-5 * expected) << Name(isa);
    }
  }
}

TEST(PeakTest, Bf16LoopsAddTheirProducts) {
  constexpr size_t kIterations = 100;
  if (HasAvx512Bf16()) {
    EXPECT_EQ(DotBf16Loop().run(kIterations), kIterations * kDotBf16Elements * kDotBf16Growth);
    EXPECT_EQ(DotBf16Loop().flop_per_iteration, 4.0 * kDotBf16Elements);
  }
  if (HasAmxBf16()) {
    EXPECT_EQ(TileBf16Loop().run(kIterations), kIterations * kTileBf16Elements * kTileBf16Growth);
    EXPECT_EQ(TileBf16Loop().flop_per_iteration, 64.0 * kTileBf16Elements);
  }
}

TEST(PeakTest, ReadAddsUpEveryElement) {
  AlignedBuffer<float> x(5 * kPeakGrain);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const double n = static_cast<double>(x.size());
  for (const Isa isa : SupportedIsas()) {
    EXPECT_EQ(FindPeakKernels(isa).read(x.data(), x.size(), 3), 3 * n * (n - 1) / 2) << Name(isa);
  }
}

TEST(PeakTest, UpdateReadsAndWritesEveryElement) {
  constexpr size_t kSize = 2 * kPeakGrain;
  for (const Isa isa : SupportedIsas()) {
    AlignedBuffer<float> w(kSize), m(kSize), v(kSize), g(kSize);
    for (size_t i = 0; i < kSize; ++i) {
      w[i] = static_cast<float>(i);
      m[i] = 1;
      v[i] = 2;
      g[i] = static_cast<float>(i % 7);
    }
    FindPeakKernels(isa).update({w.data(), m.data(), v.data(), g.data(), kSize});
    for (size_t i = 0; i < kSize; ++i) {
      const double gradient = static_cast<double>(i % 7);
      const double moment = 1 + (gradient - 1) / 8;
      const double second = 2 + (gradient - 2) / 8;
      EXPECT_EQ(m[i], moment) << Name(isa);
      EXPECT_EQ(v[i], second) << Name(isa);
      EXPECT_NEAR(w[i], static_cast<double>(i) - moment * second, 1e-4) << Name(isa);
    }
  }
}

TEST(PeakTest, ListsWhatTheCpuHasUnderDistinctNames) {
  for (const int threads : {1, 3}) {
    std::set<std::string> names;
    size_t before = 0;
    for (const Peak& peak : PeaksOf(threads)) {
      EXPECT_TRUE(names.insert(peak.name).second) << peak.name;
      EXPECT_EQ(peak.bytes == 0, peak.kind == Peak::Kind::kArithmetic) << peak.name;
      EXPECT_EQ(peak.bytes % (kPeakGrain * sizeof(float)), 0u) << peak.name;
      if (peak.kind != Peak::Kind::kRead) continue;
      // The levels are told apart by their size.
      EXPECT_GT(peak.bytes, before) << peak.name;
      before = peak.bytes;
    }
    for (const Isa isa : SupportedIsas()) EXPECT_TRUE(names.contains(ArithmeticName(isa)));
    EXPECT_EQ(names.contains("bf16/avx512_bf16"), HasAvx512Bf16());
    EXPECT_EQ(names.contains("bf16/amx_bf16"), HasAmxBf16());
  }
}

TEST(PeakTest, MeasuresARateForEachOnAnyTeam) {
  for (const Peak& peak : PeaksOf(1)) {
    if (peak.name == "memory") continue;  // Its pages take longer than all else.
    for (const int threads : {1, 2, 3}) {
      const double rate = MeasurePeak(peak, threads, 0);
      EXPECT_TRUE(std::isfinite(rate) && rate > 0) << peak.name << ": " << rate;
    }
  }
}

TEST(PeakTest, ProductsOfBf16HaveAPeakThatIsMeasured) {
  for (const Target& target : SupportedTargets()) {
    for (const PairKernels* pairs : {FindPairKernels(target), FindTileKernels(target)}) {
      if (pairs == nullptr) continue;
      const std::string name = ArithmeticName(target.isa, pairs->unit);
      EXPECT_EQ(name == ArithmeticName(target.isa), pairs->unit.empty());
      size_t found = 0;
      for (const Peak& peak : PeaksOf(1)) found += peak.name == name;
      EXPECT_EQ(found, 1u) << name;
    }
  }
}

TEST(PeakTest, FindsARateByItsName) {
  const Peaks peaks = {1,
                       {{{Peak::Kind::kArithmetic, "a"}, 1, 2}, {{Peak::Kind::kRead, "b"}, 3, 4}}};
  EXPECT_EQ(peaks.Find("b").all_threads, 4);
}

}  // namespace
}  // namespace mlp::kernels
