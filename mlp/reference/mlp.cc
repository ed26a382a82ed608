#include "mlp/reference/mlp.h"

#include <algorithm>
#include <utility>

#include "mlp/base/check.h"
#include "mlp/reference/matmul.h"

namespace mlp::reference {

Mlp::Mlp(std::vector<size_t> widths, std::vector<Activation> activations,
         std::vector<double> parameters, reference::Loss loss)
    : widths_(std::move(widths)),
      activations_(std::move(activations)),
      parameters_(std::move(parameters)),
      loss_(loss) {
  MLP_CHECK_GE(widths_.size(), 2u);
  MLP_CHECK_EQ(activations_.size(), widths_.size() - 1);
  MLP_CHECK_EQ(parameters_.size(), NumParameters(widths_));
}

size_t Mlp::NumParameters(const std::vector<size_t>& widths) {
  size_t n = 0;
  for (size_t l = 0; l + 1 < widths.size(); ++l) n += (widths[l] + 1) * widths[l + 1];
  return n;
}

Matrix Mlp::Forward(const Matrix& x) const {
  Matrix h = x;
  for (size_t l = 0; l < num_layers(); ++l) h = Apply(l, Sums(l, h));
  return h;
}

double Mlp::Loss(const Matrix& x, const std::vector<int>& labels) const {
  return LossOf(loss_, Forward(x), labels);
}

std::vector<double> Mlp::Gradient(const Matrix& x, const std::vector<int>& labels) const {
  std::vector<Matrix> inputs = {x};  // h_l [batch, in]: what layer l gets; the last are the logits
  std::vector<Matrix> sums;          // z_l [batch, out]: what its activation gets
  for (size_t l = 0; l < num_layers(); ++l) {
    sums.push_back(Sums(l, inputs[l]));
    inputs.push_back(Apply(l, sums[l]));
  }

  std::vector<double> gradient(parameters_.size());
  Matrix delta = LossGradient(loss_, inputs.back(), labels);  // dL/dh_(l+1)
  for (size_t l = num_layers(); l-- > 0;) {
    // dL/dz_l = dL/dh_(l+1) f'(z_l)
    for (size_t i = 0; i < delta.data.size(); ++i) {
      delta.data[i] *= Derivative(activations_[l], sums[l].data[i]);
    }
    const Matrix weights_gradient = MatMulTransposedA(inputs[l], delta);
    const std::vector<double> bias_gradient = ColumnSums(delta);
    const auto weights_end = std::copy(weights_gradient.data.begin(), weights_gradient.data.end(),
                                       gradient.begin() + WeightsBegin(l));
    std::copy(bias_gradient.begin(), bias_gradient.end(), weights_end);
    if (l > 0) delta = MatMulTransposedB(delta, Weights(l));  // dL/dh_l
  }
  return gradient;
}

double Mlp::Step(const Matrix& x, const std::vector<int>& labels, Optimizer& optimizer,
                 double clip_norm, double l2) {
  const double loss = Loss(x, labels);
  std::vector<double> gradient = Gradient(x, labels);
  for (size_t i = 0; i < gradient.size(); ++i) gradient[i] += l2 * parameters_[i];
  if (clip_norm > 0) ClipGlobalNorm(clip_norm, gradient);
  optimizer.Step(gradient, parameters_);
  return loss;
}

std::vector<int> Mlp::Predict(const Matrix& x) const { return ClassesOf(loss_, Forward(x)); }

size_t Mlp::WeightsBegin(size_t layer) const {
  return NumParameters({widths_.begin(), widths_.begin() + layer + 1});
}

Matrix Mlp::Weights(size_t layer) const {
  const size_t in = widths_[layer], out = widths_[layer + 1];
  const auto begin = parameters_.begin() + WeightsBegin(layer);
  return Matrix(in, out, {begin, begin + in * out});
}

std::vector<double> Mlp::Bias(size_t layer) const {
  const size_t in = widths_[layer], out = widths_[layer + 1];
  const auto begin = parameters_.begin() + WeightsBegin(layer) + in * out;
  return {begin, begin + out};
}

Matrix Mlp::Sums(size_t layer, const Matrix& x) const {
  return AddBias(MatMul(x, Weights(layer)), Bias(layer));
}

Matrix Mlp::Apply(size_t layer, Matrix sums) const {
  for (double& x : sums.data) x = Activate(activations_[layer], x);
  return sums;
}

}  // namespace mlp::reference
