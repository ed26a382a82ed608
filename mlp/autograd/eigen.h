// Lets values be elements of Eigen's matrices. Include it before any matrix of values is used.
#pragma once

#include <Eigen/Core>

#include "mlp/autograd/value.h"

namespace Eigen {

template <class T>
struct NumTraits<mlp::autograd::Value<T>> : GenericNumTraits<T> {
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

// Matrices of values mixed with plain numbers.
template <class T, class Op>
struct ScalarBinaryOpTraits<mlp::autograd::Value<T>, T, Op> {
  using ReturnType = mlp::autograd::Value<T>;
};
template <class T, class Op>
struct ScalarBinaryOpTraits<T, mlp::autograd::Value<T>, Op> {
  using ReturnType = mlp::autograd::Value<T>;
};

}  // namespace Eigen
