#include "mlp/reference/scalar_tape.h"

#include <cmath>
#include <numbers>

#include "mlp/base/check.h"

namespace mlp::reference {
namespace {

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

size_t ScalarTape::Input(double value) {
  nodes_.push_back({value});
  return nodes_.size() - 1;
}

size_t ScalarTape::Apply(const std::string& op, size_t a, size_t b) {
  MLP_CHECK_LT(a, nodes_.size());
  MLP_CHECK_LT(b, nodes_.size());
  const double x = nodes_[a].value;
  const double z = nodes_[b].value;
  Node node = {0, a, b, 0, 0};
  const auto set = [&](double value, double da, double db = 0) {
    node.value = value;
    node.da = da;
    node.db = db;
  };
  if (op == "add") {
    set(x + z, 1, 1);
  } else if (op == "sub") {
    set(x - z, 1, -1);
  } else if (op == "mul") {
    set(x * z, z, x);
  } else if (op == "div") {
    set(x / z, 1 / z, -x / (z * z));
  } else if (op == "pow") {
    set(std::pow(x, z), z == 0 ? 0 : z * std::pow(x, z - 1),
        x > 0 ? std::pow(x, z) * std::log(x) : 0);
  } else if (op == "max") {
    set(x >= z ? x : z, x >= z ? 1 : 0, x >= z ? 0 : 1);
  } else if (op == "min") {
    set(x <= z ? x : z, x <= z ? 1 : 0, x <= z ? 0 : 1);
  } else if (op == "atan2") {
    set(std::atan2(x, z), z / (x * x + z * z), -x / (x * x + z * z));
  } else if (op == "hypot") {
    // No direction is the steepest one at the origin: a slope of 0 there.
    const double length = std::sqrt(x * x + z * z);
    set(length, length == 0 ? 0 : x / length, length == 0 ? 0 : z / length);
  } else if (op == "neg") {
    set(-x, -1);
  } else if (op == "exp") {
    set(std::exp(x), std::exp(x));
  } else if (op == "expm1") {
    set(std::expm1(x), std::exp(x));
  } else if (op == "log1p") {
    set(std::log1p(x), 1 / (1 + x));
  } else if (op == "log") {
    set(std::log(x), 1 / x);
  } else if (op == "sqrt") {
    set(std::sqrt(x), 1 / (2 * std::sqrt(x)));
  } else if (op == "cbrt") {
    set(std::cbrt(x), std::pow(std::abs(x), -2.0 / 3) / 3);
  } else if (op == "abs") {
    set(std::abs(x), x > 0 ? 1 : x < 0 ? -1 : 0);
  } else if (op == "sin") {
    set(std::sin(x), std::cos(x));
  } else if (op == "cos") {
    set(std::cos(x), -std::sin(x));
  } else if (op == "tan") {
    set(std::tan(x), 1 / (std::cos(x) * std::cos(x)));
  } else if (op == "asin") {
    set(std::asin(x), 1 / std::sqrt(1 - x * x));
  } else if (op == "acos") {
    set(std::acos(x), -1 / std::sqrt(1 - x * x));
  } else if (op == "atan") {
    set(std::atan(x), 1 / (1 + x * x));
  } else if (op == "sinh") {
    set(std::sinh(x), std::cosh(x));
  } else if (op == "cosh") {
    set(std::cosh(x), std::sinh(x));
  } else if (op == "erf") {
    set(std::erf(x), 2 / std::sqrt(std::numbers::pi) * std::exp(-x * x));
  } else if (op == "tanh") {
    set(std::tanh(x), 1 / (std::cosh(x) * std::cosh(x)));
  } else if (op == "sigmoid") {
    set(Logistic(x), Logistic(x) * Logistic(-x));
  } else if (op == "relu") {
    set(x > 0 ? x : 0, x > 0 ? 1 : 0);
  } else if (op == "leaky_relu") {
    set(x > 0 ? x : 0.01 * x, x > 0 ? 1 : 0.01);
  } else if (op == "elu") {
    set(x > 0 ? x : std::expm1(x), x > 0 ? 1 : std::exp(x));
  } else if (op == "silu") {
    set(x * Logistic(x), Logistic(x) + x * Logistic(x) * Logistic(-x));
  } else if (op == "gelu") {
    const double phi = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    const double below = std::erfc(-x / std::numbers::sqrt2) / 2;
    set(x * below, below + x * phi);
  } else if (op == "softplus") {
    set(x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)), Logistic(x));
  } else {
    internal::CheckFailed(__FILE__, __LINE__, "unknown op: " + op);
  }
  nodes_.push_back(node);
  return nodes_.size() - 1;
}

std::vector<double> ScalarTape::Gradient(size_t root) const {
  std::vector<double> adjoints(nodes_.size());
  adjoints[root] = 1;
  for (size_t i = root + 1; i-- > 0;) {
    const Node& node = nodes_[i];
    // What the root does not depend on has no part in it, even where a derivative is infinite.
    if (adjoints[i] == 0) continue;
    if (node.da != 0) adjoints[node.a] += adjoints[i] * node.da;
    if (node.db != 0) adjoints[node.b] += adjoints[i] * node.db;
  }
  return adjoints;
}

}  // namespace mlp::reference
