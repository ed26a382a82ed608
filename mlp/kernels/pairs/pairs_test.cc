// Words of bfloat16 against sums in double, and the CPU's own units against their emulation.
#include "mlp/kernels/pairs/pairs.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/base/denormals.h"
#include "mlp/base/isa.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/pairs/kernels.h"
#include "mlp/kernels/pairs/tile_emulation.h"

namespace mlp::kernels {
namespace {

constexpr char kNoTiles[] =
    "this CPU has no AMX_BF16, or its operating system does not lend the tiles";

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

size_t RoundUpTo(size_t n, size_t grain) { return (n + grain - 1) / grain * grain; }

// A matrix split into words, and room beyond it.
struct SplitMatrix {
  SplitMatrix(size_t terms, size_t floats)
      : words(terms * floats), split{words.data(), terms, floats} {}
  AlignedBuffer<float> words;
  Split split;
};

// One block of a product or an update, from elements to words to the result.
class Job {
 public:
  explicit Job(const PairKernels& kernels) : kernels_(kernels), width_(kernels.width) {}

  // a: [rows, depth], b: [depth, width], start: [width]; to be added, if it is not empty: [rows,
  // width], where the result is to be. Returns start + a b, [rows, width].
  template <class T>
  std::vector<float> Product(size_t rows, size_t depth, size_t columns, const std::vector<T>& a,
                             size_t a_terms, const std::vector<float>& b, size_t b_terms,
                             const std::vector<float>& start,
                             const std::vector<float>& add = {}) const {
    const size_t panels = RoundUpTo(depth, 2 * width_) / width_;
    const size_t stride = RoundUpTo(rows, kernels_.grain) * width_ + 16;
    SplitMatrix left(a_terms, panels / 2 * stride);
    AlignedBuffer<T> first(rows * width_), second(rows * width_);
    for (size_t p = 0; p < panels; p += 2) {
      for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < width_; ++j) {
          const size_t k = p * width_ + j;
          first[i * width_ + j] = k < depth ? a[i * depth + k] : T(0);
          second[i * width_ + j] = k + width_ < depth ? a[i * depth + k + width_] : T(0);
        }
      }
      Columns(rows, first.data(), second.data(),
              {left.split.to + p / 2 * stride, a_terms, left.split.stride});
    }
    SplitMatrix right(b_terms, panels / 2 * width_ * width_);
    AlignedBuffer<float> elements(panels * width_ * width_);
    std::copy(b.begin(), b.end(), elements.begin());
    kernels_.rows(depth, 1, elements.data(), right.split);
    AlignedBuffer<float> begin(width_), y(RoundUpTo(rows, kernels_.grain) * width_);
    std::copy(start.begin(), start.end(), begin.begin());
    std::copy(add.begin(), add.end(), y.begin());
    const float* const added[] = {y.data()};
    InTeam([&] {
      kernels_.product({rows, Words(depth), columns, left.split.to, stride, right.split.to,
                        begin.data(), y.data(), std::span(added).first(add.empty() ? 0 : 1)},
                       TermProducts(left.split, right.split));
    });
    return {y.begin(), y.begin() + static_cast<ptrdiff_t>(rows * width_)};
  }

  // x: [batch, width], d: [batch, width]. Returns x^T d, [width, width].
  template <class T>
  std::vector<float> Gradient(size_t batch, size_t rows, size_t columns, const std::vector<T>& x,
                              size_t x_terms, const std::vector<float>& d, size_t d_terms) const {
    const size_t floats = RoundUpTo(Words(batch), kernels_.grain) * width_;
    SplitMatrix left(x_terms, floats), right(d_terms, floats);
    // What was there before is no part of the sum.
    for (float& word : left.words) word = 1;
    for (float& word : right.words) word = 1;
    AlignedBuffer<T> elements(batch * width_);
    std::copy(x.begin(), x.end(), elements.begin());
    XRows(batch, elements.data(), left.split);
    AlignedBuffer<float> gradient(batch * width_);
    std::copy(d.begin(), d.end(), gradient.begin());
    kernels_.rows(batch, 1, gradient.data(), right.split);
    AlignedBuffer<float> weights(width_ * width_);
    RowPrefetcher prefetch;
    InTeam([&] {
      kernels_.update(OptimizerKind::kSgd, MathMode::kExact, {.rate = -1},
                      {Words(batch),
                       rows,
                       columns,
                       left.split.to,
                       right.split.to,
                       weights.data(),
                       {},
                       &prefetch},
                      TermProducts(left.split, right.split));
    });
    return {weights.begin(), weights.end()};
  }

 private:
  void InTeam(absl::FunctionRef<void()> body) const {
    RunTeam(1, [&](const Worker&) {
      if (kernels_.state != nullptr) HoldInTeam(*kernels_.state);
      body();
    });
  }
  void Columns(size_t rows, const float* first, const float* second, const Split& to) const {
    kernels_.columns(rows, first, second, to);
  }
  void Columns(size_t rows, const uint8_t* first, const uint8_t* second, const Split& to) const {
    kernels_.byte_columns(rows, first, second, to.to);
  }
  void XRows(size_t rows, const float* panel, const Split& to) const {
    kernels_.x_rows(rows, panel, to);
  }
  void XRows(size_t rows, const uint8_t* panel, const Split& to) const {
    kernels_.byte_rows(rows, panel, to.to);
  }

  const PairKernels& kernels_;
  const size_t width_;
};

std::vector<const PairKernels*> Kernels() {
  std::vector<const PairKernels*> all;
  for (const Target& target : SupportedTargets()) {
    if (const PairKernels* pairs = FindPairKernels(target)) all.push_back(pairs);
    if (const PairKernels* tiles = FindTileKernels(target)) all.push_back(tiles);
  }
  // The native table hides the emulation of the same instruction set.
  if (HasAvx512Bf16()) all.push_back(&PairTable<Backend::kSimd, Isa::kAvx512>());
  all.push_back(&EmulatedTilePairTable());
  return all;
}

class PairsTest : public testing::TestWithParam<const PairKernels*> {
 protected:
  std::vector<float> Random(size_t n) {
    std::vector<float> numbers(n);
    for (float& x : numbers) x = stream_.Uniform(-1, 1);
    return numbers;
  }
  std::vector<uint8_t> RandomBytes(size_t n) {
    std::vector<uint8_t> bytes(n);
    for (uint8_t& x : bytes) x = static_cast<uint8_t>(stream_.Below(256));
    return bytes;
  }
  AlignedBuffer<float> Aligned(const std::vector<float>& numbers) const {
    AlignedBuffer<float> buffer(numbers.size());
    std::copy(numbers.begin(), numbers.end(), buffer.begin());
    return buffer;
  }

  const PairKernels& kernels_ = *GetParam();
  const size_t width_ = kernels_.width;
  const Job job_{kernels_};
  Stream stream_{1, Purpose::kTest};
};

TEST_P(PairsTest, PacksColumnsAndRowsInTerms) {
  for (const size_t rows : {1, 2, 7}) {
    for (const size_t terms : {1, 2, 3}) {
      const AlignedBuffer<float> a = Aligned(Random(rows * width_));
      const AlignedBuffer<float> b = Aligned(Random(rows * width_));
      SplitMatrix to(terms, RoundUpTo(rows, kernels_.grain) * width_);
      // Of x, what term t is; x less the terms before is exact.
      const auto term_of = [](double x, size_t t) {
        for (; t > 0; --t) x -= ToBf16(x);
        return ToBf16(x);
      };
      for (const float* second :
           {static_cast<const float*>(b.data()), static_cast<const float*>(nullptr)}) {
        kernels_.columns(rows, a.data(), second, to.split);
        for (size_t i = 0; i < rows * width_ * terms; ++i) {
          const size_t t = i / (rows * width_), row = i / width_ % rows, w = i % width_;
          const float word = to.split.to[t * to.split.stride + row * width_ + w];
          const float* from = w < width_ / 2 ? a.data() : second;
          const size_t at = row * width_ + 2 * w % width_;
          EXPECT_EQ(Lower(word), from == nullptr ? 0 : term_of(from[at], t));
          EXPECT_EQ(Upper(word), from == nullptr ? 0 : term_of(from[at + 1], t));
        }
      }
      kernels_.rows(rows, 0.3f, a.data(), to.split);
      for (size_t t = 0; t < terms; ++t) {
        const float* words = to.split.to + t * to.split.stride;
        for (size_t i = 0; i < 2 * Words(rows); ++i) {
          for (size_t j = 0; j < width_; ++j) {
            const float word = words[i / 2 * width_ + j];
            EXPECT_EQ(i % 2 == 0 ? Lower(word) : Upper(word),
                      i < rows ? term_of(0.3f * a[i * width_ + j], t) : 0);
          }
        }
        for (size_t i = Words(rows); i < RoundUpTo(Words(rows), kernels_.grain); ++i) {
          for (size_t j = 0; j < width_; ++j) EXPECT_EQ(words[i * width_ + j], 0);
        }
      }
    }
  }
}

TEST_P(PairsTest, ThreeTermsAreAllOfAFloat) {
  for (const float size : {1.0f, 1e-25f, 1e30f}) {
    AlignedBuffer<float> a = Aligned(Random(2 * width_));
    for (float& x : a) x *= size;
    SplitMatrix to(3, RoundUpTo(1, kernels_.grain) * width_);
    kernels_.rows(2, 1, a.data(), to.split);
    for (size_t j = 0; j < width_; ++j) {
      double lower = 0, upper = 0;
      for (size_t t = 0; t < 3; ++t) {
        lower += Lower(to.split.to[t * to.split.stride + j]);
        upper += Upper(to.split.to[t * to.split.stride + j]);
      }
      EXPECT_EQ(lower, a[j]);
      EXPECT_EQ(upper, a[width_ + j]);
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
  AlignedBuffer<float> to(RoundUpTo(rows, kernels_.grain) * width_);
  for (const uint8_t* second :
       {static_cast<const uint8_t*>(b.data()), static_cast<const uint8_t*>(nullptr)}) {
    kernels_.byte_columns(rows, a.data(), second, to.data());
    for (size_t k = 0; k < rows * width_; ++k) {
      const size_t w = k % width_;
      const uint8_t* from = w < width_ / 2 ? a.data() : second;
      const size_t at = k - w + 2 * w % width_;
      EXPECT_EQ(Lower(to[k]), from == nullptr ? 0 : from[at]);
      EXPECT_EQ(Upper(to[k]), from == nullptr ? 0 : from[at + 1]);
    }
  }
}

// Errors in parts of the sum of the products' magnitudes. Words are exact products; what remains is
// what the terms leave out (2^-8 of a factor after one, 2^-17 after two, nothing after three), the
// product of second terms (2^-16), and the sum's rounding.
struct Case {
  size_t a_terms;  // 0: bytes
  size_t b_terms;
  double bound;
};
constexpr double kSum = 0x1p-21;
constexpr Case kCases[] = {{0, 3, kSum},
                           {0, 2, 0x1p-17 + kSum},
                           {0, 1, 0x1p-8 + kSum},
                           {2, 2, 0x1p-15 + kSum},
                           {1, 1, 2.01 * 0x1p-8 + kSum}};

TEST_P(PairsTest, ProductsKeepWithinTheirBounds) {
  for (const auto& [a_terms, b_terms, bound] : kCases) {
    for (const size_t rows : {1, 14, 33}) {
      for (const size_t depth : {size_t{1}, 2 * width_, 5 * width_ + 3}) {
        for (const size_t columns : {size_t{3}, width_}) {
          const std::vector<uint8_t> bytes = RandomBytes(rows * depth);
          const std::vector<float> a = Random(rows * depth);
          std::vector<float> b = Random(depth * width_), start = Random(width_);
          for (size_t i = 0; i < b.size(); ++i) b[i] *= i % width_ < columns;
          for (size_t j = columns; j < width_; ++j) start[j] = 0;
          const std::vector<float> y =
              a_terms == 0 ? job_.Product(rows, depth, columns, bytes, 1, b, b_terms, start)
                           : job_.Product(rows, depth, columns, a, a_terms, b, b_terms, start);
          for (size_t i = 0; i < rows * width_; ++i) {
            double expected = start[i % width_], size = std::abs(expected);
            for (size_t k = 0; k < depth; ++k) {
              const size_t at = i / width_ * depth + k;
              const double product =
                  (a_terms == 0 ? bytes[at] : a[at]) * double{b[k * width_ + i % width_]};
              expected += product;
              size += std::abs(product);
            }
            ASSERT_NEAR(y[i], expected, bound * size)
                << a_terms << " and " << b_terms << " terms, depth " << depth;
          }
        }
      }
    }
  }
}

TEST_P(PairsTest, GradientsKeepWithinTheirBounds) {
  for (const auto& [x_terms, d_terms, bound] : kCases) {
    for (const size_t batch : {1, 4, 37, 70}) {
      for (const size_t columns : {size_t{3}, width_}) {
        const std::vector<uint8_t> bytes = RandomBytes(batch * width_);
        const std::vector<float> x = Random(batch * width_);
        std::vector<float> d = Random(batch * width_);
        for (size_t i = 0; i < d.size(); ++i) d[i] *= i % width_ < columns;
        const size_t rows = columns;
        const std::vector<float> gradient =
            x_terms == 0 ? job_.Gradient(batch, rows, columns, bytes, 1, d, d_terms)
                         : job_.Gradient(batch, rows, columns, x, x_terms, d, d_terms);
        for (size_t i = 0; i < rows * width_; ++i) {
          double expected = 0, size = 0;
          for (size_t k = 0; k < batch; ++k) {
            const size_t at = k * width_ + i / width_;
            const double product =
                (x_terms == 0 ? bytes[at] : x[at]) * double{d[k * width_ + i % width_]};
            expected += product;
            size += std::abs(product);
          }
          ASSERT_NEAR(gradient[i], expected, bound * size)
              << x_terms << " and " << d_terms << " terms, batch " << batch;
        }
        // Rows of the block that are not in use stay as they are.
        for (size_t i = rows * width_; i < gradient.size(); ++i) ASSERT_EQ(gradient[i], 0);
      }
    }
  }
}

TEST_P(PairsTest, AddsWhatLiesWhereTheProductGoes) {
  for (const size_t columns : {size_t{3}, width_}) {
    constexpr size_t kRows = 37, kDepth = 20;
    const std::vector<float> a = Random(kRows * kDepth), b = Random(kDepth * width_);
    const std::vector<float> start = Random(width_), add = Random(kRows * width_);
    const std::vector<float> y = job_.Product(kRows, kDepth, columns, a, 1, b, 1, start);
    const std::vector<float> sum = job_.Product(kRows, kDepth, columns, a, 1, b, 1, start, add);
    for (size_t i = 0; i < y.size(); ++i) {
      if (i % width_ < columns) {
        EXPECT_EQ(sum[i], add[i] + y[i]);
      }
    }
  }
}

// Products of bytes with three terms: no worse than single precision with its one rounding a
// product.
TEST_P(PairsTest, ThreeTermsAreOfSinglePrecision) {
  constexpr size_t kRows = 8, kDepth = 784;
  const std::vector<uint8_t> a = RandomBytes(kRows * kDepth);
  const std::vector<float> b = Random(kDepth * width_);
  const std::vector<float> y =
      job_.Product(kRows, kDepth, width_, a, 1, b, 3, std::vector<float>(width_));
  double squares = 0, fp32_squares = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    double expected = 0;
    float fp32 = 0;
    for (size_t k = 0; k < kDepth; ++k) {
      const float x = a[i / width_ * kDepth + k], w = b[k * width_ + i % width_];
      expected += double{x} * w;
      fp32 = std::fma(x, w, fp32);
    }
    squares += std::pow(y[i] - expected, 2);
    fp32_squares += std::pow(fp32 - expected, 2);
  }
  EXPECT_LT(squares, 2 * fp32_squares);
}

// Which sums round: a dot adds each product to the sum before; a tile adds up 16 words first.
TEST_P(PairsTest, SumsAsItsUnitDoes) {
  const size_t depth = 4 * 16;
  std::vector<float> a(depth), b(depth * width_);
  for (float& x : a) x = 0x1p-12f;
  for (float& x : b) x = 0x1p-12f;
  // The first word is 1; half a unit in the last place of 1 in each product of the last.
  a[0] = 1;
  b[0] = 1;
  for (size_t k = 1; k < 62; ++k) a[k] = 0;
  const float y = job_.Product(1, depth, width_, a, 1, b, 1, std::vector<float>(width_))[0];
  EXPECT_EQ(y, kernels_.grain == 1 ? 1.0f : 1.0f + 0x1p-23f);
}

INSTANTIATE_TEST_SUITE_P(, PairsTest, testing::ValuesIn(Kernels()), [](const auto& info) {
  const std::string name = Name(info.param->target) + "_" + std::string(info.param->unit);
  return absl::StrReplaceAll(name, {{"/", "_"}, {" ", "_"}});
});

// Numbers, tiny numbers and infinities: the same bits by the instruction as by its definition.
void ExpectEqualBits(const PairKernels& native, const PairKernels& emulated) {
  ASSERT_EQ(native.width, emulated.width);
  const ScopedFlushDenormals flush;
  Stream stream{2, Purpose::kTest};
  for (const size_t rows : {1, 14, 40}) {
    for (const float size : {1.0f, 1e-19f, 3e-38f, 1e19f, 3e38f}) {
      const size_t depth = 70, width = native.width;
      std::vector<float> a(rows * depth), b(depth * width), start(width);
      for (std::vector<float>* numbers : {&a, &b, &start}) {
        for (float& x : *numbers) x = size * stream.Uniform(-1, 1);
      }
      const auto same = [&](const std::vector<float>& x, const std::vector<float>& y) {
        ASSERT_EQ(x.size(), y.size());
        for (size_t k = 0; k < x.size(); ++k) {
          ASSERT_TRUE(x[k] == y[k] || (std::isnan(x[k]) && std::isnan(y[k])))
              << size << ": " << x[k] << " and " << y[k] << " at " << k;
        }
      };
      same(Job(native).Product(rows, depth, width, a, 2, b, 2, start),
           Job(emulated).Product(rows, depth, width, a, 2, b, 2, start));
      std::vector<float> x(rows * width), d(rows * width);
      for (std::vector<float>* numbers : {&x, &d}) {
        for (float& n : *numbers) n = size * stream.Uniform(-1, 1);
      }
      same(Job(native).Gradient(rows, width, width, x, 2, d, 2),
           Job(emulated).Gradient(rows, width, width, x, 2, d, 2));
    }
  }
}

TEST(NativePairsTest, DotsEqualTheirEmulation) {
  if (!HasAvx512Bf16()) GTEST_SKIP() << "this CPU has no AVX512_BF16";
  EXPECT_EQ(NativePairTable().unit, "avx512_bf16");
  EXPECT_EQ((PairTable<Backend::kSimd, Isa::kAvx512>().unit), "");
  ExpectEqualBits(NativePairTable(), PairTable<Backend::kSimd, Isa::kAvx512>());
}

TEST(NativePairsTest, TilesEqualTheirEmulation) {
  if (!HasAmxBf16()) GTEST_SKIP() << kNoTiles;
  ExpectEqualBits(TilePairTable(), EmulatedTilePairTable());
}

TEST(TermProductsTest, AreThoseThatMatterSmallestFirst) {
  const auto of = [](size_t a_terms, size_t b_terms) {
    const TermProducts products({nullptr, a_terms, 10}, {nullptr, b_terms, 1000});
    std::string text;
    for (const PanelTerm& term : std::span<const PanelTerm>(products)) {
      text += std::to_string(term.a / 10) + std::to_string(term.b / 1000) + " ";
    }
    return text;
  };
  EXPECT_EQ(of(1, 1), "00 ");
  EXPECT_EQ(of(1, 3), "02 01 00 ");
  EXPECT_EQ(of(2, 2), "01 10 00 ");
  EXPECT_EQ(of(1, 2), "01 00 ");
  EXPECT_EQ(of(3, 3), "02 11 20 01 10 00 ");
}

}  // namespace
}  // namespace mlp::kernels
