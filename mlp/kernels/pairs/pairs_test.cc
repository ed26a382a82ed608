// Words of bfloat16 against sums in double, and the CPU's own instruction against its emulation.
#include "mlp/kernels/pairs/pairs.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/denormals.h"
#include "mlp/base/isa.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/pairs/kernels.h"

namespace mlp::kernels {
namespace {

// The nearest number with 8 significant bits.
double ToBf16(double x) {
  if (x == 0) return x;
  int exponent;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
}
double Lower(float word) { return std::bit_cast<float>(std::bit_cast<uint32_t>(word) << 16); }
double Upper(float word) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(word) & 0xffff0000u);
}

class PairsTest : public testing::TestWithParam<Target> {
 protected:
  AlignedBuffer<float> Random(size_t n) {
    AlignedBuffer<float> buffer(n);
    for (float& x : buffer) x = stream_.Uniform(-1, 1);
    return buffer;
  }
  // n words of random elements.
  AlignedBuffer<float> RandomWords(size_t n) {
    AlignedBuffer<float> words(n);
    const AlignedBuffer<float> elements = Random(2 * n);
    for (size_t i = 0; i < n; i += width_) {
      kernels_.rows(2, 1, elements.data() + 2 * i, words.data() + i);
    }
    return words;
  }

  const PairKernels& kernels_ = *KernelsFor(GetParam()).pairs;
  const size_t width_ = kernels_.width;
  Stream stream_{1, Purpose::kTest};
  RowPrefetcher prefetch_;
};

TEST_P(PairsTest, PacksColumnsAndRows) {
  for (const size_t rows : {1, 2, 7}) {
    const AlignedBuffer<float> a = Random(rows * width_), b = Random(rows * width_);
    AlignedBuffer<float> to(rows * width_);
    for (const float* second :
         {static_cast<const float*>(b.data()), static_cast<const float*>(nullptr)}) {
      kernels_.columns(rows, a.data(), second, to.data());
      for (size_t i = 0; i < rows; ++i) {
        for (size_t w = 0; w < width_; ++w) {
          const float* from = w < width_ / 2 ? a.data() : second;
          const size_t at = i * width_ + 2 * w % width_;
          EXPECT_EQ(Lower(to[i * width_ + w]), from == nullptr ? 0 : ToBf16(from[at]));
          EXPECT_EQ(Upper(to[i * width_ + w]), from == nullptr ? 0 : ToBf16(from[at + 1]));
        }
      }
    }
    kernels_.rows(rows, 0.3f, a.data(), to.data());
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < width_; ++j) {
        const float word = to[i / 2 * width_ + j];
        EXPECT_EQ(i % 2 == 0 ? Lower(word) : Upper(word), ToBf16(0.3f * a[i * width_ + j]));
        if (i + 1 == rows && i % 2 == 0) {
          EXPECT_EQ(Upper(word), 0);
        }
      }
    }
  }
}

TEST_P(PairsTest, PacksAllBytesExactly) {
  const size_t rows = 256 / width_ + 1;
  AlignedBuffer<uint8_t> a(rows * width_), b(rows * width_);
  for (size_t k = 0; k < a.size(); ++k) {
    a[k] = static_cast<uint8_t>(k);
    b[k] = static_cast<uint8_t>(3 * k);
  }
  AlignedBuffer<float> to(rows * width_);
  for (const uint8_t* second :
       {static_cast<const uint8_t*>(b.data()), static_cast<const uint8_t*>(nullptr)}) {
    kernels_.byte_columns(rows, a.data(), second, to.data());
    for (size_t k = 0; k < to.size(); ++k) {
      const size_t w = k % width_;
      const uint8_t* from = w < width_ / 2 ? a.data() : second;
      const size_t at = k - w + 2 * w % width_;
      EXPECT_EQ(Lower(to[k]), from == nullptr ? 0 : from[at]);
      EXPECT_EQ(Upper(to[k]), from == nullptr ? 0 : from[at + 1]);
    }
  }
  for (const size_t some : {rows, rows - 1}) {
    kernels_.byte_rows(some, a.data(), to.data());
    for (size_t k = 0; k < Words(some) * width_; ++k) {
      const size_t at = k / width_ * 2 * width_ + k % width_;
      EXPECT_EQ(Lower(to[k]), a[at]);
      EXPECT_EQ(Upper(to[k]), at + width_ < some * width_ ? a[at + width_] : 0);
    }
  }
}

TEST_P(PairsTest, ProductAndUpdateSumExactProducts) {
  for (const size_t rows : {1, 14, 33}) {
    for (const size_t depth : {size_t{1}, width_, 2 * width_ + 3}) {
      const size_t stride = rows * width_ + 16;
      const AlignedBuffer<float> a = RandomWords(3 * stride / width_ * width_ + width_);
      const AlignedBuffer<float> b = RandomWords(3 * width_ * width_);
      const AlignedBuffer<float> start = Random(width_);
      AlignedBuffer<float> y(rows * width_);
      kernels_.product({rows, depth, width_, a.data(), stride, b.data(), start.data(), y.data()});
      for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < width_; ++j) {
          double expected = start[j];
          for (size_t k = 0; k < depth; ++k) {
            const float x = a[k / width_ * stride + i * width_ + k % width_];
            expected += Lower(x) * Lower(b[k * width_ + j]) + Upper(x) * Upper(b[k * width_ + j]);
          }
          ASSERT_NEAR(y[i * width_ + j], expected, 3e-5);
        }
      }
    }
  }
  for (const size_t batch : {1, 4, 37}) {
    const AlignedBuffer<float> x = RandomWords(batch * width_), d = RandomWords(batch * width_);
    AlignedBuffer<float> weights(width_ * width_);
    kernels_.update(OptimizerKind::kSgd, MathMode::kExact, {.rate = -1},
                    {batch, width_, width_, x.data(), d.data(), weights.data(), {}, &prefetch_});
    for (size_t i = 0; i < width_; ++i) {
      for (size_t j = 0; j < width_; ++j) {
        double expected = 0;
        for (size_t k = 0; k < batch; ++k) {
          const float u = x[k * width_ + i], v = d[k * width_ + j];
          expected += Lower(u) * Lower(v) + Upper(u) * Upper(v);
        }
        ASSERT_NEAR(weights[i * width_ + j], expected, 3e-5);
      }
    }
  }
}

// Numbers, tiny numbers and infinities: the same bits by the instruction as by its definition.
TEST(NativePairsTest, EqualTheirEmulation) {
  if (!HasAvx512Bf16()) GTEST_SKIP() << "this CPU has no AVX512_BF16";
  const ScopedFlushDenormals flush;
  const PairKernels& native = NativePairTable();
  const PairKernels& emulated = PairTable<Backend::kSimd, Isa::kAvx512>();
  EXPECT_TRUE(native.native);
  EXPECT_FALSE(emulated.native);
  Stream stream{2, Purpose::kTest};
  constexpr size_t kRows = 14, kDepth = 32;
  const size_t width = native.width;
  for (const float size : {1.0f, 1e-19f, 3e-38f, 1e19f, 3e38f}) {
    AlignedBuffer<float> elements(2 * kDepth * width), a(kDepth * width), b(kDepth * width);
    for (AlignedBuffer<float>* words : {&a, &b}) {
      for (float& x : elements) x = size * stream.Uniform(-1, 1);
      native.rows(2 * kDepth, 1, elements.data(), words->data());
    }
    AlignedBuffer<float> start(width), x(kRows * width), y(kRows * width);
    native.product({kRows, kDepth, width, a.data(), 0, b.data(), start.data(), x.data()});
    emulated.product({kRows, kDepth, width, a.data(), 0, b.data(), start.data(), y.data()});
    for (size_t k = 0; k < x.size(); ++k) {
      ASSERT_TRUE(x[k] == y[k] || (std::isnan(x[k]) && std::isnan(y[k])))
          << size << ": " << x[k] << " and " << y[k] << " at " << k;
    }
  }
}

std::vector<Target> Targets() {
  std::vector<Target> targets = SupportedTargets();
  std::erase_if(targets, [](const Target& t) { return FindPairKernels(t) == nullptr; });
  return targets;
}
INSTANTIATE_TEST_SUITE_P(, PairsTest, testing::ValuesIn(Targets()), TestName);

}  // namespace
}  // namespace mlp::kernels
