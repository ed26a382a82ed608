// A multilayer perceptron that classifies: dense layers, each followed by its activation, and a
// loss at the end, softmax cross-entropy unless another is asked for. Backpropagation after
// Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", Nature 323,
// 1986.
//
// All parameters are one flat vector: for each layer in turn its weights W [in, out], row-major,
// then its bias b [out]. Start another implementation from the same vector and compare.
#pragma once

#include <cstddef>
#include <vector>

#include "mlp/reference/activation.h"
#include "mlp/reference/loss.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/optimizer.h"

namespace mlp::reference {

class Mlp {
 public:
  // widths: inputs, outputs of each layer; the last is the number of classes. At least two.
  // activations: one for each layer, the last too (kIdentity where logits are the layer's sums).
  // parameters: NumParameters(widths) of them.
  Mlp(std::vector<size_t> widths, std::vector<Activation> activations,
      std::vector<double> parameters, reference::Loss loss = reference::Loss::kSoftmaxCrossEntropy);

  // Sum over the layers of in * out + out.
  static size_t NumParameters(const std::vector<size_t>& widths);

  const std::vector<double>& parameters() const { return parameters_; }

  // The logits of x [batch, inputs]. [batch, classes]
  Matrix Forward(const Matrix& x) const;

  // The loss, see loss.h. One label in 0 .. classes-1 for each row.
  double Loss(const Matrix& x, const std::vector<int>& labels) const;

  // dLoss/dparameters, in the parameters' layout.
  std::vector<double> Gradient(const Matrix& x, const std::vector<int>& labels) const;

  // One step of the optimizer on this batch, from the gradient of loss + l2 / 2 * (sum of squares
  // of all parameters), first clipped to the norm clip_norm if that is greater than 0. Returns the
  // loss before the step, without l2's part.
  double Step(const Matrix& x, const std::vector<int>& labels, Optimizer& optimizer,
              double clip_norm = 0, double l2 = 0);

  // The class of each row of x, see ClassesOf. [batch]
  std::vector<int> Predict(const Matrix& x) const;

 private:
  size_t num_layers() const { return activations_.size(); }
  size_t WeightsBegin(size_t layer) const;           // in parameters_; the bias follows
  Matrix Weights(size_t layer) const;                // [in, out]
  std::vector<double> Bias(size_t layer) const;      // [out]
  Matrix Sums(size_t layer, const Matrix& x) const;  // X W + b. [batch, out]
  Matrix Apply(size_t layer, Matrix sums) const;     // f of every element. [batch, out]

  std::vector<size_t> widths_;
  std::vector<Activation> activations_;
  std::vector<double> parameters_;
  reference::Loss loss_;
};

}  // namespace mlp::reference
