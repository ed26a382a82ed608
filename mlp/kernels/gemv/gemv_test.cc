// Products of one row against plain sums in double, and bit by bit against those of batches.
#include "mlp/kernels/gemv/gemv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/panel/panel.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {
namespace {

constexpr size_t kDepths[] = {0, 1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 200, 784};

class GemvTest : public testing::TestWithParam<Target> {
 protected:
  AlignedBuffer<float> Random(size_t n) {
    AlignedBuffer<float> buffer(n);
    for (float& x : buffer) x = stream_.Uniform(-1, 1);
    return buffer;
  }
  size_t Panels(size_t columns) const { return (columns + gemv_.width - 1) / gemv_.width; }

  const GemvKernels& gemv_ = *KernelsFor(GetParam()).gemv;
  Stream stream_{1, Purpose::kTest};
};

// A matrix of random weights, some of a row's factors 0, and room for results.
struct Problem {
  Problem(size_t depth, size_t columns, size_t width, Stream& stream)
      : depth(depth),
        columns(columns),
        panels((columns + width - 1) / width),
        stride(depth * width + 16),
        b(panels * stride),
        start(panels * width),
        pixels(depth),
        x(depth) {
    for (float& w : b) w = stream.Uniform(-1, 1);
    for (float& w : start) w = stream.Uniform(-1, 1);
    for (size_t k = 0; k < 256; ++k) values.push_back(static_cast<float>(k) * 0.01f);
    for (size_t k = 0; k < depth; ++k) {
      pixels[k] = stream.Below(3) == 0 ? static_cast<uint8_t>(1 + stream.Below(255)) : 0;
      x[k] = values[pixels[k]];
    }
  }
  double Sum(size_t j, size_t width) const {
    double sum = start[j];
    for (size_t k = 0; k < depth; ++k) {
      sum += static_cast<double>(x[k]) * b[j / width * stride + k * width + j % width];
    }
    return sum;
  }

  const size_t depth, columns, panels, stride;
  AlignedBuffer<float> b, start;
  std::vector<uint8_t> pixels;
  std::vector<float> x;
  std::vector<float> values;
};

TEST_P(GemvTest, AllWaysToGiveARowAgree) {
  const size_t width = gemv_.width;
  for (const size_t depth : kDepths) {
    for (size_t columns = 1; columns <= 5 * width; columns += columns < 2 * width ? 1 : width / 2) {
      const Problem problem(depth, columns, width, stream_);
      const auto run = [&](auto product) {
        AlignedBuffer<float> y(problem.panels * width);
        product(Gemv{columns, problem.b.data(), problem.stride, problem.start.data(), y.data()});
        return std::vector<float>(y.begin(), y.begin() + static_cast<ptrdiff_t>(columns));
      };
      const std::vector<float> floats =
          run([&](const Gemv& job) { gemv_.floats(job, problem.x.data(), depth); });
      for (size_t j = 0; j < columns; ++j) {
        ASSERT_NEAR(floats[j], problem.Sum(j, width), 2e-4)
            << "depth " << depth << " columns " << columns << " at " << j;
      }
      EXPECT_EQ(floats, run([&](const Gemv& job) {
                  gemv_.bytes(job, problem.pixels.data(), depth, problem.values.data());
                }));
      if (columns <= gemv_.narrow) continue;
      std::vector<uint32_t> entries(depth + kListSlack);
      const size_t bytes = gemv_.list_bytes(depth, 0, problem.pixels.data(), entries.data());
      EXPECT_EQ(floats, run([&](const Gemv& job) {
                  gemv_.byte_list(job, {entries.data(), bytes}, problem.values.data());
                }));
      const size_t count = gemv_.list_floats(depth, problem.x.data(), entries.data());
      EXPECT_EQ(floats, run([&](const Gemv& job) {
                  gemv_.float_list(job, problem.x.data(), std::span(entries).first(count));
                }));
    }
  }
}

double ToBf16(double x) {
  int exponent;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
}

// Packing rounds; words then have the bits of the rounded floats, whichever way a row is given.
TEST_P(GemvTest, WordsAreRoundedWeights) {
  const size_t width = gemv_.width;
  for (const size_t depth : kDepths) {
    for (const size_t columns : {size_t{1}, width - 1, width, 2 * width + 1, 5 * width}) {
      Problem problem(depth, columns, width, stream_);
      std::vector<float> exact(problem.b.begin(), problem.b.end());
      const size_t stride = depth * width / 2 + 16;
      AlignedBuffer<float> words(problem.panels * stride);
      for (size_t p = 0; p < problem.panels; ++p) {
        gemv_.pack(depth * width, problem.b.data() + p * problem.stride, words.data() + p * stride);
      }
      for (size_t k = 0; k < depth * width; ++k) EXPECT_EQ(problem.b[k], ToBf16(exact[k]));
      const auto run = [&](bool of_words, auto product) {
        AlignedBuffer<float> y(problem.panels * width);
        product(Gemv{columns, of_words ? words.data() : problem.b.data(),
                     of_words ? stride : problem.stride, problem.start.data(), y.data(), of_words});
        return std::vector<float>(y.begin(), y.begin() + static_cast<ptrdiff_t>(columns));
      };
      std::vector<uint32_t> entries(depth + kListSlack), indices(depth + kListSlack);
      const size_t bytes = gemv_.list_bytes(depth, 0, problem.pixels.data(), entries.data());
      const size_t count = gemv_.list_floats(depth, problem.x.data(), indices.data());
      const auto expect_equal = [&](auto product) {
        EXPECT_EQ(run(true, product), run(false, product)) << depth << " x " << columns;
      };
      expect_equal([&](const Gemv& job) { gemv_.floats(job, problem.x.data(), depth); });
      expect_equal([&](const Gemv& job) {
        gemv_.bytes(job, problem.pixels.data(), depth, problem.values.data());
      });
      if (columns <= gemv_.narrow) continue;
      expect_equal([&](const Gemv& job) {
        gemv_.byte_list(job, {entries.data(), bytes}, problem.values.data());
      });
      expect_equal([&](const Gemv& job) {
        gemv_.float_list(job, problem.x.data(), std::span(indices).first(count));
      });
    }
  }
}

TEST_P(GemvTest, ARowAloneHasTheBitsOfARowInABatch) {
  const size_t width = gemv_.width;
  const PanelKernels& panel = *KernelsFor(GetParam()).panel;
  ASSERT_EQ(panel.width, width);
  constexpr size_t kRows = 5;
  for (const size_t depth : kDepths) {
    const Problem problem(depth, width, width, stream_);
    const size_t a_stride = kRows * width;
    AlignedBuffer<float> a(Panels(depth + 1) * a_stride);
    for (size_t k = 0; k < depth; ++k) {
      for (size_t i = 0; i < kRows; ++i) {
        a[k / width * a_stride + i * width + k % width] = problem.x[k];
      }
    }
    AlignedBuffer<float> y(kRows * width), alone(width);
    panel.product({kRows, depth, width, a.data(), a_stride, problem.b.data(), problem.start.data(),
                   y.data()});
    gemv_.floats({width, problem.b.data(), problem.stride, problem.start.data(), alone.data()},
                 problem.x.data(), depth);
    for (size_t k = 0; k < y.size(); ++k) ASSERT_EQ(y[k], alone[k % width]) << "depth " << depth;
  }
}

TEST_P(GemvTest, ListsHoldWhatIsNotZeroInOrder) {
  for (const size_t n : kDepths) {
    for (const uint32_t often : {1u, 2u, 5u, 1000u}) {
      std::vector<uint8_t> bytes(n);
      std::vector<float> floats(n);
      std::vector<uint32_t> entries, indices;
      for (uint32_t k = 0; k < n; ++k) {
        if (stream_.Below(often) != 0) continue;
        bytes[k] = static_cast<uint8_t>(1 + stream_.Below(255));
        floats[k] = k % 3 == 0 ? kNaN : -0.5f;
        entries.push_back((k + 100) * 256 + bytes[k]);
        indices.push_back(k);
      }
      for (float& x : floats) x = x == 0 && stream_.Below(2) == 0 ? -0.0f : x;
      EXPECT_EQ(gemv_.count_bytes(n, bytes.data()), entries.size());
      std::vector<uint32_t> list(n + kListSlack);
      list.resize(gemv_.list_bytes(n, 100, bytes.data(), list.data()));
      EXPECT_EQ(list, entries);
      list.assign(n + kListSlack, 0);
      list.resize(gemv_.list_floats(n, floats.data(), list.data()));
      EXPECT_EQ(list, indices);
    }
  }
}

std::vector<Target> TargetsWithGemv() {
  std::vector<Target> targets;
  for (const Target& target : SupportedTargets()) {
    if (KernelsFor(target).gemv != nullptr) targets.push_back(target);
  }
  return targets;
}

INSTANTIATE_TEST_SUITE_P(Targets, GemvTest, testing::ValuesIn(TargetsWithGemv()), TestName);

}  // namespace
}  // namespace mlp::kernels
