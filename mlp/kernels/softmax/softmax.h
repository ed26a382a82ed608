// Softmax, its logarithm, and the cross-entropy of integer labels, row by row. Logits of any size
// are safe: the row's maximum is subtracted first.
#pragma once

#include <cstdint>
#include <span>

#include "mlp/kernels/context.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

// p[i, j] = e^x[i, j] / sum over k of e^x[i, k].  x, p: [m, n]; p may be x. Workers split the rows.
void Softmax(const Context& context, ConstMatrix x, Matrix p);

// y[i, j] = x[i, j] - log(sum over k of e^x[i, k]).  x, y: [m, n]; y may be x. Workers split the
// rows.
void LogSoftmax(const Context& context, ConstMatrix x, Matrix y);

// For each row i: losses[i] = -log softmax(logits)[i, labels[i]], and hits[i] = whether the largest
// logit (the first of equals) is the label's. In the same pass
// gradient[i, j] = scale * (softmax(logits)[i, j] - (j == labels[i])).
// logits, gradient: [m, n]; labels, losses, hits: [m]. Workers split the rows.
void SoftmaxCrossEntropy(const Context& context, ConstMatrix logits,
                         std::span<const uint8_t> labels, float scale, std::span<float> losses,
                         std::span<uint8_t> hits, Matrix gradient);

// index[i] = the column of the largest x[i, j], the first of equals; 0 where one is a NaN.
// x: [m, n], n > 0. Workers split the rows.
void ArgMax(const Context& context, ConstMatrix x, std::span<uint32_t> index);

}  // namespace mlp::kernels
