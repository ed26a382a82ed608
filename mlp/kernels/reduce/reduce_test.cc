// Sums on every target of this CPU, at awkward sizes, against the textbook.
#include "mlp/kernels/reduce/reduce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/reference/matmul.h"
#include "mlp/reference/matrix.h"

namespace mlp::kernels {
namespace {

constexpr size_t kWidths[] = {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 48, 96, 128, 784};
constexpr size_t kHeights[] = {0, 1, 2, 5, 33, 128};
constexpr size_t kLengths[] = {0, 1, 3, 8, 31, 33, 127, 4095, 4096, 4097, 10'000, 134'794};

class ReduceTest : public testing::TestWithParam<Target> {
 protected:
  Context ContextOf(const Worker& worker) const {
    return {&KernelsFor(GetParam()), MathMode::kFast, worker};
  }
  // The same on every worker.
  double SquaredNormBy(int threads, const std::vector<float>& x) const {
    std::vector<double> partials(NormPartials(x.size())), norms(static_cast<size_t>(threads));
    RunTeam(threads, [&](const Worker& worker) {
      norms[static_cast<size_t>(worker.rank())] = SquaredNorm(ContextOf(worker), x, partials);
    });
    for (const double norm : norms) {
      EXPECT_TRUE(IsNear(norm, norms[0], 0, 0)) << Name(GetParam()) << " n=" << x.size();
    }
    return norms[0];
  }
};

TEST_P(ReduceTest, ColumnSumsMatchTheReferenceInTheOrderOfRows) {
  for (const size_t rows : kHeights) {
    for (const size_t cols : kWidths) {
      for (const int threads : kTeamSizes) {
        Stream stream(1, Purpose::kTest, 0, static_cast<uint32_t>(rows * 1000 + cols));
        Padded x(rows, cols, stream), sums(1, cols, stream), more(1, cols, stream);
        const std::vector<double> before = more.Double().data;
        RunTeam(threads, [&](const Worker& worker) {
          ColumnSums(ContextOf(worker), x.view(), Output::kOverwrite, {sums.view().row(0), cols});
          ColumnSums(ContextOf(worker), x.view(), Output::kAdd, {more.view().row(0), cols});
        });
        EXPECT_TRUE(sums.GapsAreUntouched() && more.GapsAreUntouched());
        const std::vector<double> expected = reference::ColumnSums(x.Double());
        const double tolerance = kUlp * static_cast<double>(rows * rows + 2);
        for (size_t j = 0; j < cols; ++j) {
          ASSERT_TRUE(IsNear(sums.view()(0, j), expected[j], 0, tolerance) &&
                      IsNear(more.view()(0, j), before[j] + expected[j], 0, tolerance))
              << Name(GetParam()) << " rows=" << rows << " cols=" << cols << " threads=" << threads;
          float in_order = 0;
          for (size_t i = 0; i < rows; ++i) in_order += x.view()(i, j);
          ASSERT_EQ(sums.view()(0, j), in_order)
              << Name(GetParam()) << " rows=" << rows << " cols=" << cols << " threads=" << threads;
        }
      }
    }
  }
}

TEST_P(ReduceTest, SquaredNormMatchesTheReferenceWithTheSameBitsOnAnyTeam) {
  for (const size_t n : kLengths) {
    Stream stream(2, Purpose::kTest, 0, static_cast<uint32_t>(n));
    std::vector<float> x(n);
    double expected = 0;
    for (float& v : x) {
      v = stream.Normal();
      expected += double{v} * double{v};
    }
    const double alone = SquaredNormBy(1, x);
    // A chunk is a sum of up to 4096 squares in fp32, one after the other at worst.
    EXPECT_TRUE(IsNear(alone, expected, 2e-5, 0)) << Name(GetParam()) << " n=" << n;
    for (const int threads : kTeamSizes) {
      EXPECT_EQ(SquaredNormBy(threads, x), alone)
          << Name(GetParam()) << " n=" << n << " threads=" << threads;
    }
  }
}

TEST_P(ReduceTest, CarriesInfinitiesAndNaNs) {
  for (const size_t n : {1, 9, 5000}) {
    std::vector<float> x(n, 1);
    x.back() = -kInf;
    EXPECT_EQ(SquaredNormBy(1, x), kInf) << Name(GetParam()) << " n=" << n;
    x.back() = kNaN;
    EXPECT_TRUE(std::isnan(SquaredNormBy(1, x))) << Name(GetParam()) << " n=" << n;
    std::vector<float> sums(n, 2);
    ColumnSums(ContextOf(Worker()), {x.data(), 1, n}, Output::kAdd, sums);
    EXPECT_TRUE(std::isnan(sums.back())) << Name(GetParam()) << " n=" << n;
    EXPECT_TRUE(n == 1 || sums[0] == 3) << Name(GetParam()) << " n=" << n;
  }
}

TEST(SumTest, IsTakenInDouble) {
  EXPECT_EQ(Sum({}), 0);
  std::vector<float> x(1002, 1);
  x.front() = 1e9f;
  x.back() = -1e9f;
  EXPECT_EQ(Sum(x), 1000);
  x[500] = kInf;
  EXPECT_EQ(Sum(x), kInf);
}

INSTANTIATE_TEST_SUITE_P(, ReduceTest, testing::ValuesIn(SupportedTargets()), TestName);

}  // namespace
}  // namespace mlp::kernels
