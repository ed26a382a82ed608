// Softmax over the rows of a matrix of logits [batch, classes], and the cross-entropy of labels
// under it (Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 6.2.2.3).
//
// All take any logits: the greatest of a row is subtracted first, so that no exponential overflows.
// A logit of -inf is a class of probability 0. A row with +inf or NaN, or of -inf alone, has no
// distribution: all of its results are NaN.
#pragma once

#include <vector>

#include "mlp/reference/matrix.h"

namespace mlp::reference {

// p_ij = e^z_ij / sum over k of e^z_ik. [batch, classes]
Matrix Softmax(const Matrix& logits);

// log p_ij = z_ij - log sum over k of e^z_ik. [batch, classes]
Matrix LogSoftmax(const Matrix& logits);

// L = -1/batch sum over i of log p_(i, label_i), in nats. One label in 0 .. classes-1 for each row;
// batch > 0.
double SoftmaxCrossEntropy(const Matrix& logits, const std::vector<int>& labels);

// dL/dz_ij = (p_ij - [j = label_i]) / batch. [batch, classes]
Matrix SoftmaxCrossEntropyGradient(const Matrix& logits, const std::vector<int>& labels);

}  // namespace mlp::reference
