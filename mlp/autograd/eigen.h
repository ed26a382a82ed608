// Lets values be elements of Eigen's matrices. Include it before any matrix of values is used. What
// a decomposition finds to be equal or 0 it may leave out, and its derivatives with it: that of an
// exactly symmetric matrix by JacobiSVD, for one.
#pragma once

#include <Eigen/Core>
#include <limits>

#include "mlp/autograd/value.h"

// The limits of a value are those of its number.
template <class T>
struct std::numeric_limits<mlp::autograd::Value<T>> : std::numeric_limits<T> {};

namespace Eigen {

// Precision and range, too, are those of the number, as plain numbers: they are not recorded.
template <class T>
struct NumTraits<mlp::autograd::Value<T>> : NumTraits<T> {
  using Real = mlp::autograd::Value<T>;
  using NonInteger = mlp::autograd::Value<T>;
  using Nested = mlp::autograd::Value<T>;
  using Literal = T;
  enum {
    IsComplex = 0,
    IsInteger = 0,
    IsSigned = 1,
    RequireInitialization = 1,
    ReadCost = 1,
    AddCost = 4,
    MulCost = 4,
  };
};

// Matrices of values mixed with plain numbers: sums, and products by elements, by scalars and of a
// matrix and a vector. Eigen's blocked product of two matrices takes one number type: there a plain
// one has to be cast first, k.cast<Value<double>>() * m, or k.lazyProduct(m).
template <class T, class Op>
struct ScalarBinaryOpTraits<mlp::autograd::Value<T>, T, Op> {
  using ReturnType = mlp::autograd::Value<T>;
};
template <class T, class Op>
struct ScalarBinaryOpTraits<T, mlp::autograd::Value<T>, Op> {
  using ReturnType = mlp::autograd::Value<T>;
};

}  // namespace Eigen
