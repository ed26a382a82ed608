// Panel products and gradients against plain sums in double, on every instruction set of this CPU.
#include "mlp/kernels/panel/panel.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {
namespace {

class PanelTest : public testing::TestWithParam<Target> {
 protected:
  AlignedBuffer<float> Random(size_t n) {
    AlignedBuffer<float> buffer(n);
    for (float& x : buffer) x = stream_.Uniform(-1, 1);
    return buffer;
  }

  const PanelKernels& kernels_ = *KernelsFor(GetParam()).panel;
  const size_t width_ = kernels_.width;
  Stream stream_{1, Purpose::kTest};
};

TEST_P(PanelTest, Product) {
  for (const size_t rows : {1, 2, 13, 14, 15, 29, 64}) {
    for (const size_t depth : {size_t{0}, size_t{1}, width_ - 1, width_, width_ + 1, 3 * width_}) {
      for (const size_t columns : {size_t{1}, width_ / 2, width_ / 2 + 1, width_}) {
        for (const bool goes_on : {false, true}) {
          const size_t stride = rows * width_ + 16;
          const AlignedBuffer<float> a = Random(4 * stride);
          AlignedBuffer<float> b = Random(4 * width_ * width_);
          AlignedBuffer<float> start = Random(width_);
          AlignedBuffer<float> y = Random(rows * width_);
          // What lies beyond the last column is 0, by the definition of a panel.
          for (size_t k = 0; k < b.size(); ++k) b[k] = k % width_ < columns ? b[k] : 0;
          for (size_t k = 0; k < width_; ++k) start[k] = k < columns ? start[k] : 0;
          for (size_t k = 0; goes_on && k < y.size(); ++k) y[k] = k % width_ < columns ? y[k] : 0;
          std::vector<double> expected(rows * width_);
          for (size_t i = 0; i < rows; ++i) {
            for (size_t j = 0; j < columns; ++j) {
              double sum = goes_on ? y[i * width_ + j] : start[j];
              for (size_t k = 0; k < depth; ++k) {
                sum += static_cast<double>(a[k / width_ * stride + i * width_ + k % width_]) *
                       b[k * width_ + j];
              }
              expected[i * width_ + j] = sum;
            }
          }
          kernels_.product({rows, depth, columns, a.data(), stride, b.data(),
                            goes_on ? nullptr : start.data(), y.data()});
          for (size_t k = 0; k < y.size(); ++k) {
            ASSERT_NEAR(y[k], expected[k], 1e-5)
                << "rows " << rows << " depth " << depth << " columns " << columns << " at " << k;
          }
          // What is added comes after all products, in its order; y itself may be among it.
          const std::vector<float> product(y.begin(), y.end());
          AlignedBuffer<float> first = Random(y.size()), sum = Random(y.size());
          for (size_t k = 0; k < y.size(); ++k) {
            if (k % width_ >= columns) first[k] = sum[k] = 0;
          }
          const std::vector<float> before(sum.begin(), sum.end());
          const std::array<const float*, 2> add = {first.data(), sum.data()};
          if (goes_on) continue;
          kernels_.product(
              {rows, depth, columns, a.data(), stride, b.data(), start.data(), sum.data(), add});
          for (size_t k = 0; k < y.size(); ++k) {
            ASSERT_EQ(sum[k], before[k] + (first[k] + product[k])) << k;
          }
        }
      }
    }
  }
}

// With SGD at a rate of 1 the weights change by the gradient; weights beyond the block stay.
TEST_P(PanelTest, UpdateByTheGradient) {
  const UpdateStep step = {.rate = 1};
  for (const size_t batch : {1, 7, 8, 9, 64, 100}) {
    for (size_t rows = 1; rows <= width_; ++rows) {
      for (const size_t columns : {size_t{1}, width_ / 2, width_ / 2 + 1, width_}) {
        const AlignedBuffer<float> x = Random(batch * width_);
        AlignedBuffer<float> d = Random(batch * width_);
        AlignedBuffer<float> weights = Random(width_ * width_);
        const std::vector<float> before(weights.begin(), weights.end());
        for (size_t k = 0; k < d.size(); ++k) d[k] = k % width_ < columns ? d[k] : 0;
        RowPrefetcher prefetch;
        kernels_.update(OptimizerKind::kSgd, MathMode::kExact, step,
                        {batch, rows, columns, x.data(), d.data(), weights.data(), {}, &prefetch});
        for (size_t i = 0; i < width_; ++i) {
          for (size_t j = 0; j < width_; ++j) {
            double expected = before[i * width_ + j];
            for (size_t k = 0; i < rows && k < batch; ++k) {
              expected -= static_cast<double>(x[k * width_ + i]) * d[k * width_ + j];
            }
            ASSERT_NEAR(weights[i * width_ + j], expected, 2e-5)
                << "batch " << batch << " rows " << rows << " columns " << columns;
          }
        }
      }
    }
  }
}

// To the bit what the update family makes of the same gradient.
TEST_P(PanelTest, UpdateByEveryOptimizer) {
  constexpr size_t kBatch = 9;
  const AlignedBuffer<float> x = Random(kBatch * width_), d = Random(kBatch * width_);
  RowPrefetcher prefetch;
  AlignedBuffer<float> gradient(width_ * width_);
  kernels_.update(OptimizerKind::kSgd, MathMode::kExact, {.rate = -1},
                  {kBatch, width_, width_, x.data(), d.data(), gradient.data(), {}, &prefetch});
  for (const OptimizerKind kind : kOptimizerKinds) {
    for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
      for (const float keep : {1.0f, 0.9f}) {
        const UpdateStep step = {.rate = 0.01f,
                                 .keep = keep,
                                 .beta1 = 0.9f,
                                 .beta2 = 0.999f,
                                 .root_scale = 2.0f,
                                 .epsilon = 1e-8f};
        // Weights and states, for both ways.
        std::array<std::array<AlignedBuffer<float>, 1 + kMaxStates>, 2> way;
        PanelUpdate job = {kBatch, width_, width_, x.data(), d.data(), nullptr, {}, &prefetch};
        UpdateSpans spans = {{}, gradient.span(), {}};
        for (size_t k = 0; k <= States(kind); ++k) {
          way[0][k] = Random(width_ * width_);
          way[1][k] = AlignedBuffer<float>(width_ * width_);
          for (size_t i = 0; i < way[0][k].size(); ++i) {
            if (k > 0) way[0][k][i] = std::abs(way[0][k][i]);
            way[1][k][i] = way[0][k][i];
          }
          if (k > 0) job.states[k - 1] = way[0][k].data();
          if (k > 0) spans.states[k - 1] = way[1][k].span();
        }
        job.weights = way[0][0].data();
        spans.parameters = way[1][0].span();
        kernels_.update(kind, math, step, job);
        UpdateBlock(SoloContext(GetParam(), math), kind, step, spans);
        for (size_t k = 0; k <= States(kind); ++k) {
          for (size_t i = 0; i < way[0][k].size(); ++i) {
            ASSERT_EQ(way[0][k][i], way[1][k][i]) << Name(kind) << " array " << k << " at " << i;
          }
        }
      }
    }
  }
}

TEST_P(PanelTest, Transpose) {
  const AlignedBuffer<float> from = Random(width_ * width_);
  AlignedBuffer<float> to(width_ * width_);
  kernels_.transpose(from.data(), to.data());
  for (size_t k = 0; k < to.size(); ++k) {
    EXPECT_EQ(to[k], from[k % width_ * width_ + k / width_]);
  }
}

TEST_P(PanelTest, GatherAndConvert) {
  constexpr size_t kFeatures = 75;
  AlignedBuffer<uint8_t> pixels(10 * kFeatures);
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(1 + stream_.Below(255));
  const std::vector<uint32_t> rows = {9, 0, 4, 4, 7, 1, 2, 3, 3, 9};
  const std::vector<std::vector<Range>> cases = {
      {{0, kFeatures}},    {{3, kFeatures}},
      {{2, 40}},           {{0, 1}, {2, 3}, {5, 40}, {41, kFeatures}},
      {{1, 34}, {40, 74}}, {{7, 8}, {74, kFeatures}},
  };
  for (const std::vector<Range>& runs : cases) {
    std::vector<size_t> chosen;
    for (const Range& run : runs) {
      for (size_t j = run.begin; j < run.end; ++j) chosen.push_back(j);
    }
    const size_t columns = chosen.size();
    AlignedBuffer<uint8_t> scratch(kGatherRows * GatherRowBytes(columns));
    const size_t panels = (columns + width_ - 1) / width_;
    const size_t stride = rows.size() * width_;
    AlignedBuffer<uint8_t> bytes(panels * stride);
    for (uint8_t& byte : bytes) byte = 7;
    kernels_.gather({pixels.data(), kFeatures, rows, runs, columns,
                     runs.size() == 1 ? nullptr : scratch.data(), bytes.data(), stride});
    AlignedBuffer<float> numbers(panels * stride);
    kernels_.convert(numbers.size(), 0.5f, bytes.data(), numbers.data());
    for (size_t k = 0; k < numbers.size(); ++k) {
      const size_t j = k / stride * width_ + k % width_;
      const uint8_t expected =
          j < columns ? pixels[rows[k % stride / width_] * kFeatures + chosen[j]] : 0;
      EXPECT_EQ(numbers[k], 0.5f * static_cast<float>(expected)) << k;
    }
  }
}

TEST_P(PanelTest, Publish) {
  const size_t n = 5 * width_;
  const AlignedBuffer<float> from = Random(n);
  AlignedBuffer<float> to(n + width_);
  kernels_.publish(n, from.data(), to.data());
  for (size_t i = 0; i < to.size(); ++i) EXPECT_EQ(to[i], i < n ? from[i] : 0) << i;
}

TEST_P(PanelTest, Sum) {
  const size_t n = 5 * width_;
  const AlignedBuffer<float> a = Random(n), b = Random(n), c = Random(n);
  AlignedBuffer<float> y(n);
  using Part = PanelSum::Part;
  const auto expect = [&](std::vector<Part> parts, auto expected) {
    kernels_.sum({n, parts, y.data()});
    for (size_t k = 0; k < n; ++k) EXPECT_EQ(y[k], expected(k)) << parts.size() << " parts";
  };
  expect({{a.data(), 0}}, [&](size_t k) { return a[k]; });
  expect({{a.data(), 0}, {b.data(), 1}}, [&](size_t k) { return a[k] + b[k]; });
  expect({{a.data(), 0}, {b.data(), 1}, {c.data(), 1}},
         [&](size_t k) { return (a[k] + b[k]) + c[k]; });
  expect({{a.data(), 0}, {b.data(), 0}, {c.data(), 2}},
         [&](size_t k) { return a[k] + (b[k] + c[k]); });
  // In place.
  const AlignedBuffer<float> before = Random(n);
  std::copy(before.begin(), before.end(), y.begin());
  expect({{y.data(), 0}, {b.data(), 0}, {c.data(), 2}},
         [&](size_t k) { return before[k] + (b[k] + c[k]); });
}

std::vector<Target> Targets() {
  std::vector<Target> targets = SupportedTargets();
  std::erase_if(targets, [](const Target& t) { return FindPanelKernels(t) == nullptr; });
  return targets;
}

INSTANTIATE_TEST_SUITE_P(, PanelTest, testing::ValuesIn(Targets()), TestName);

TEST(RowPrefetcherTest, EndsAfterTheLastRow) {
  const std::vector<uint8_t> bytes(4 * 100);
  const std::vector<uint32_t> rows = {3, 1};
  RowPrefetcher prefetch(bytes.data(), 100, rows);
  for (int i = 0; i < 10; ++i) prefetch.Next();
}

}  // namespace
}  // namespace mlp::kernels
