// Matrix products on views, all row-major, fp32.
//
// Every element of the result is one sum in a fixed order, whoever computes it: bits do not depend
// on the number of workers. Results may not overlap operands.
#pragma once

#include "mlp/kernels/context.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/output.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

// What follows the product in the forward pass, while it is still in cache.
struct Epilogue {
  const float* bias = nullptr;  // [n], or null for none
  Activation activation = Activation::kIdentity;
};

// c = activation(a b + bias).  a: [m, k], b: [k, n], c: [m, n].
void GemmNN(const Context& context, ConstMatrix a, ConstMatrix b, const Epilogue& epilogue,
            Matrix c);

// c = a b^T.  a: [m, k], b: [n, k], c: [m, n].
void GemmNT(const Context& context, ConstMatrix a, ConstMatrix b, Matrix c);

// c = a^T b, or c += a^T b.  a: [k, m], b: [k, n], c: [m, n].
void GemmTN(const Context& context, ConstMatrix a, ConstMatrix b, Output output, Matrix c);

}  // namespace mlp::kernels
