// Reverse-mode differentiation of scalars as textbooks have it (Griewank & Walther, "Evaluating
// derivatives", 2008, chapter 3): every elementary op is a node that keeps its partial derivatives;
// one pass from the last node to the first applies the chain rule.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace mlp::reference {

class ScalarTape {
 public:
  // An independent variable. Returns its node.
  size_t Input(double value);

  // The op of this name ("add", "sub", "mul", "div", "pow", "max", "min", "atan2", "hypot"; "neg",
  // "exp", "expm1", "log", "log1p", "sqrt", "cbrt", "abs", "sin", "cos", "tan", "asin", "acos",
  // "atan", "sinh", "cosh", "tanh", "erf", "sigmoid", "relu", "leaky_relu" (0.01), "elu", "silu",
  // "gelu" (by erf), "softplus"). Returns its node.
  size_t Apply(const std::string& op, size_t a, size_t b = 0);

  double value(size_t node) const { return nodes_[node].value; }
  size_t size() const { return nodes_.size(); }

  // d(root)/d(node) for every node.
  std::vector<double> Gradient(size_t root) const;

 private:
  struct Node {
    double value = 0;
    size_t a = 0, b = 0;
    double da = 0, db = 0;  // partial derivatives; 0 where there is no such operand
  };
  std::vector<Node> nodes_;
};

}  // namespace mlp::reference
