// Values as Eigen's scalars.
#include "mlp/autograd/eigen.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <sstream>

#include "mlp/autograd/tape.h"

namespace mlp::autograd {
namespace {

using V = Value<double>;
using MatrixV = Eigen::Matrix<V, Eigen::Dynamic, Eigen::Dynamic>;
using VectorV = Eigen::Matrix<V, Eigen::Dynamic, 1>;

Eigen::MatrixXd Numbers(int rows, int cols, double scale) {
  Eigen::MatrixXd m(rows, cols);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) m(i, j) = scale * std::sin(1 + 3 * i + 7 * j);
  }
  return m;
}

MatrixV Values(const Eigen::MatrixXd& numbers) {
  return numbers.unaryExpr([](double x) { return V(x); });
}

TEST(Eigen, QuadraticForm) {
  Tape<double> tape;
  const Eigen::MatrixXd a = Numbers(7, 7, 1);
  const Eigen::VectorXd x = Numbers(7, 1, 2);
  const VectorV values = Values(x);
  const V y = values.dot(a.cast<V>() * values);
  tape.Backward(y);
  const Eigen::VectorXd expected = (a + a.transpose()) * x;
  EXPECT_NEAR(y.value(), x.dot(a * x), 1e-12);
  for (int i = 0; i < 7; ++i) EXPECT_NEAR(values(i).gradient(), expected(i), 1e-12);
}

TEST(Eigen, LayersOfAMatrixNet) {
  Tape<double> tape;
  const Eigen::MatrixXd w = Numbers(20, 30, 0.3), x = Numbers(30, 25, 0.5);
  const MatrixV weights = Values(w);
  const MatrixV inputs = Values(x);
  const MatrixV h = (weights * inputs).unaryExpr([](const V& z) { return tanh(z); });
  const V y = h.squaredNorm() + 2.0 * weights.sum() + (weights * 0.5)(3, 4);
  tape.Backward(y);
  const Eigen::MatrixXd t = (w * x).array().tanh();
  const Eigen::MatrixXd dz = 2 * t.array() * (1 - t.array().square());
  Eigen::MatrixXd dw = dz * x.transpose();
  dw.array() += 2;
  dw(3, 4) += 0.5;
  const Eigen::MatrixXd dx = w.transpose() * dz;
  EXPECT_NEAR(y.value(), t.squaredNorm() + 2 * w.sum() + 0.5 * w(3, 4), 1e-10);
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 30; ++j) EXPECT_NEAR(weights(i, j).gradient(), dw(i, j), 1e-11);
  }
  EXPECT_NEAR(inputs(5, 6).gradient(), dx(5, 6), 1e-11);
}

TEST(Eigen, ProductsWithPlainMatrices) {
  Tape<double> tape;
  const Eigen::MatrixXd k = Numbers(9, 7, 1), a = Numbers(7, 8, 1);
  const MatrixV m = Values(a);
  const MatrixV cast = k.cast<V>() * m;
  const MatrixV lazy = k.lazyProduct(m);
  const V y = cast.sum() + lazy.sum();
  EXPECT_NEAR(y.value(), 2 * (k * a).sum(), 1e-12);
  tape.Backward(y);
  const Eigen::VectorXd column = k.colwise().sum().transpose();
  for (int i = 0; i < 7; ++i) EXPECT_NEAR(m(i, 3).gradient(), 2 * column(i), 1e-12);
}

TEST(Eigen, Determinant) {
  Tape<double> tape;
  const Eigen::Matrix3d a = Numbers(3, 3, 1) + 2 * Eigen::Matrix3d::Identity();
  const Eigen::Matrix<V, 3, 3> values = Values(a);
  const V y = values.determinant();
  tape.Backward(y);
  const Eigen::Matrix3d expected = a.determinant() * a.inverse().transpose();
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) EXPECT_NEAR(values(i, j).gradient(), expected(i, j), 1e-12);
  }
}

// Precision and range are those of the number, and using them records nothing.
TEST(Eigen, LimitsAreThoseOfTheNumber) {
  const auto expect_same = []<class T>(T) {
    using Own = Eigen::NumTraits<Value<T>>;
    using Plain = Eigen::NumTraits<T>;
    EXPECT_EQ(T(Own::epsilon()), Plain::epsilon());
    EXPECT_EQ(T(Own::dummy_precision()), Plain::dummy_precision());
    EXPECT_EQ(T(Own::highest()), Plain::highest());
    EXPECT_EQ(T(Own::lowest()), Plain::lowest());
    EXPECT_EQ(T(Own::infinity()), Plain::infinity());
    EXPECT_EQ(Own::digits10(), Plain::digits10());
    using Limits = std::numeric_limits<Value<T>>;
    static_assert(Limits::is_specialized);
    EXPECT_EQ(Limits::epsilon(), std::numeric_limits<T>::epsilon());
    EXPECT_EQ(Limits::max(), std::numeric_limits<T>::max());
    EXPECT_EQ(Limits::lowest(), std::numeric_limits<T>::lowest());
  };
  expect_same(float());
  expect_same(double());
}

TEST(Eigen, ComparisonsWithinPrecision) {
  Tape<double> tape;
  const Eigen::MatrixXd a = Numbers(4, 4, 1);
  const MatrixV values = Values(a), near = Values(a * (1 + 1e-14)), far = Values(a * (1 + 1e-9));
  EXPECT_TRUE(values.isApprox(near));
  EXPECT_FALSE(values.isApprox(far));
  const MatrixV flat = Values(Numbers(4, 1, 1) * Numbers(1, 4, 1));
  EXPECT_EQ(flat.fullPivLu().rank(), 1);
}

// Solvers that iterate ask their numbers whether they are finite. The derivative of an eigenvalue
// of a symmetric matrix is v v', that of the largest singular value is u v'.
TEST(Eigen, EigenvaluesAndSingularValues) {
  Tape<double> tape;
  const Eigen::MatrixXd half = Numbers(4, 4, 1);
  const Eigen::MatrixXd symmetric = half + half.transpose();
  const MatrixV s = Values(symmetric);
  const Eigen::SelfAdjointEigenSolver<MatrixV> solver(s, Eigen::EigenvaluesOnly);
  tape.Backward(V(solver.eigenvalues()(3)));
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> plain(symmetric);
  const Eigen::VectorXd v = plain.eigenvectors().col(3);
  // The solver reads the lower triangle: an element stands for its mirror image, too.
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j <= i; ++j) {
      EXPECT_NEAR(s(i, j).gradient(), (i == j ? 1 : 2) * v(i) * v(j), 1e-9);
    }
  }

  const Eigen::MatrixXd a = Numbers(4, 3, 1);
  const MatrixV m = Values(a);
  const Eigen::JacobiSVD<MatrixV> svd(m);
  tape.Backward(V(svd.singularValues()(0)));
  const Eigen::JacobiSVD<Eigen::MatrixXd> expected(a, Eigen::ComputeThinU | Eigen::ComputeThinV);
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 3; ++j) {
      EXPECT_NEAR(m(i, j).gradient(), expected.matrixU()(i, 0) * expected.matrixV()(j, 0), 1e-9);
    }
  }
}

TEST(Eigen, MatricesPrint) {
  Tape<double> tape;
  Eigen::Matrix2d a;
  a << 1, 2.5, -3, 4;
  std::ostringstream plain, values;
  plain << a;
  values << Values(a);
  EXPECT_EQ(values.str(), plain.str());
}

TEST(Eigen, SolveByElimination) {
  Tape<double> tape;
  const Eigen::MatrixXd a = Numbers(5, 5, 1) + 4 * Eigen::MatrixXd::Identity(5, 5);
  const Eigen::VectorXd b = Numbers(5, 1, 1);
  const MatrixV m = Values(a);
  const VectorV rhs = Values(b);
  const VectorV x = m.partialPivLu().solve(rhs);
  const V y = x.sum();
  tape.Backward(y);
  // d(1' A^-1 b)/db = A^-T 1.
  const Eigen::VectorXd expected = a.transpose().lu().solve(Eigen::VectorXd::Ones(5));
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(rhs(i).gradient(), expected(i), 1e-12);
}

}  // namespace
}  // namespace mlp::autograd
