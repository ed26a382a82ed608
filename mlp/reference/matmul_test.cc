#include "mlp/reference/matmul.h"

#include <gtest/gtest.h>

#include <vector>

#include "mlp/base/rng.h"
#include "mlp/reference/gradient_check.h"

namespace mlp::reference {
namespace {

TEST(MatMulTest, ByHand) {
  const Matrix a(2, 3,
                 {1, 2, 3,  //
                  4, 5, 6});
  const Matrix b(3, 2,
                 {7, 10,  //
                  8, 11,  //
                  9, 12});
  const std::vector<double> ab = {7 + 16 + 27, 10 + 22 + 36,  //
                                  28 + 40 + 54, 40 + 55 + 72};
  const Matrix a_transposed(3, 2, {1, 4, 2, 5, 3, 6});
  const Matrix b_transposed(2, 3, {7, 8, 9, 10, 11, 12});
  for (const Matrix& c :
       {MatMul(a, b), MatMulTransposedA(a_transposed, b), MatMulTransposedB(a, b_transposed)}) {
    EXPECT_EQ(c.rows, 2u);
    EXPECT_EQ(c.cols, 2u);
    EXPECT_EQ(c.data, ab);
  }
  EXPECT_EQ(AddBias(a, {10, 20, 30}).data, (std::vector<double>{11, 22, 33, 14, 25, 36}));
  EXPECT_EQ(ColumnSums(a), (std::vector<double>{5, 7, 9}));
}

TEST(MatMulTest, EmptySumsAreZero) {
  EXPECT_EQ(MatMul(Matrix(2, 0), Matrix(0, 3)).data, std::vector<double>(6));
  EXPECT_EQ(MatMulTransposedA(Matrix(0, 2), Matrix(0, 3)).data, std::vector<double>(6));
  EXPECT_EQ(MatMulTransposedB(Matrix(2, 0), Matrix(3, 0)).data, std::vector<double>(6));
  EXPECT_EQ(ColumnSums(Matrix(0, 3)), std::vector<double>(3));
}

TEST(MatMulDeathTest, ShapesMustFit) {
  EXPECT_DEATH(MatMul(Matrix(2, 3), Matrix(2, 3)), "3 against 2");
  EXPECT_DEATH(MatMulTransposedA(Matrix(2, 3), Matrix(3, 3)), "2 against 3");
  EXPECT_DEATH(MatMulTransposedB(Matrix(2, 3), Matrix(3, 2)), "3 against 2");
  EXPECT_DEATH(AddBias(Matrix(2, 3), {1, 2}), "3 against 2");
  EXPECT_DEATH(Matrix(2, 3, {1, 2}), "2 against 6");
}

// The gradients of a dense layer, as matmul.h gives them, for f = sum of G * (X W + b).
TEST(MatMulTest, DenseLayerGradientsAreCentralDifferences) {
  for (int seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    Stream stream(seed, Purpose::kTest);
    const size_t batch = 1 + stream.Below(8), in = 1 + stream.Below(8), out = 1 + stream.Below(8);
    const Matrix x = RandomMatrix(batch, in, stream);
    const Matrix w = RandomMatrix(in, out, stream);
    const std::vector<double> b = RandomVector(out, stream);
    const Matrix g = RandomMatrix(batch, out, stream);
    const auto f = [&g](const Matrix& inputs, const Matrix& weights,
                        const std::vector<double>& bias) {
      const Matrix z = AddBias(MatMul(inputs, weights), bias);
      double sum = 0;
      for (size_t i = 0; i < z.data.size(); ++i) sum += g.data[i] * z.data[i];
      return sum;
    };
    EXPECT_TRUE(IsCloseToDifferences(
        MatMulTransposedB(g, w).data,
        CentralDifferences([&](const auto& v) { return f(Matrix(batch, in, v), w, b); }, x.data)));
    EXPECT_TRUE(IsCloseToDifferences(
        MatMulTransposedA(x, g).data,
        CentralDifferences([&](const auto& v) { return f(x, Matrix(in, out, v), b); }, w.data)));
    EXPECT_TRUE(IsCloseToDifferences(
        ColumnSums(g), CentralDifferences([&](const auto& v) { return f(x, w, v); }, b)));
  }
}

}  // namespace
}  // namespace mlp::reference
