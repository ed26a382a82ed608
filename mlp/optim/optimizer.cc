#include "mlp/optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"

namespace mlp::optim {
namespace {

size_t StateStride(size_t parameters) {
  return RoundUp(parameters, kCacheLineBytes / sizeof(float));
}

absl::Status Wrong(absl::string_view flag, absl::string_view expected, double found,
                   absl::string_view usual) {
  return absl::InvalidArgumentError(
      absl::StrCat(flag, ": expected ", expected, ", found ", found, "; ", usual, " is usual"));
}

}  // namespace

absl::Status Validate(const OptimizerOptions& o) {
  // In float, as they are used.
  const auto in_unit = [](double beta) { return beta >= 0 && static_cast<float>(beta) < 1; };
  if (!(o.learning_rate > 0 && std::isfinite(o.learning_rate))) {
    return Wrong("--learning_rate", "a number above 0", o.learning_rate, "0.001");
  }
  if (!(o.weight_decay >= 0 && o.weight_decay * o.learning_rate < 1)) {
    return Wrong("--weight_decay", "a number from 0 to 1 / learning_rate", o.weight_decay, "0");
  }
  if (o.kind != kernels::OptimizerKind::kAdam) return absl::OkStatus();
  if (!in_unit(o.beta1)) return Wrong("beta1", "a number in [0, 1)", o.beta1, "0.9");
  if (!in_unit(o.beta2)) return Wrong("beta2", "a number in [0, 1)", o.beta2, "0.999");
  // Denormals are flushed to 0, and 0 / 0 would follow.
  if (!(o.epsilon >= std::numeric_limits<float>::min())) {
    return Wrong("epsilon", "a number from 1.2e-38", o.epsilon, "1e-8");
  }
  return absl::OkStatus();
}

Optimizer::Optimizer(const OptimizerOptions& options, size_t parameters)
    : options_(options),
      parameters_(parameters),
      log2_beta1_(std::log2(double{static_cast<float>(options.beta1)})),
      log2_beta2_(std::log2(double{static_cast<float>(options.beta2)})),
      learning_rate_(options.learning_rate),
      states_(kernels::States(options.kind) * StateStride(parameters)) {}

std::span<float> Optimizer::state(size_t k) {
  return states_.span().subspan(k * StateStride(parameters_), parameters_);
}

std::span<const float> Optimizer::state(size_t k) const {
  return states_.span().subspan(k * StateStride(parameters_), parameters_);
}

void Optimizer::BeginStep() {
  ++steps_;
  const double t = static_cast<double>(steps_);
  const bool adam = options_.kind == kernels::OptimizerKind::kAdam;
  // 1 - beta^t. From 2^-60 on the power is lost beside 1, and not worth its computation: tiny nets
  // do ten million steps in a second.
  const auto correction = [&](float beta, double log2_beta) {
    if (!adam) return 1.0;
    return t * log2_beta < -60 ? 1.0 : 1 - std::pow(double{beta}, t);
  };
  // The moments decay by betas rounded to float, and 1 - beta2 is so small that the rounding shows:
  // the corrections follow the betas that are used.
  const auto beta1 = static_cast<float>(options_.beta1);
  const auto beta2 = static_cast<float>(options_.beta2);
  const double correction1 = correction(beta1, log2_beta1_);
  const double correction2 = correction(beta2, log2_beta2_);
  // Adam's kernels divide by the rate: it must not become 0, nor what is divided infinite.
  constexpr double kLeastRate = 1e-24;
  const double rate = adam ? std::max(learning_rate_, kLeastRate) : learning_rate_;
  step_ = {.rate = static_cast<float>(rate / correction1),
           .keep = static_cast<float>(1 - rate * options_.weight_decay),
           .beta1 = beta1,
           .beta2 = beta2,
           .root_scale = static_cast<float>(1 / std::sqrt(correction2)),
           .epsilon = static_cast<float>(options_.epsilon)};
}

kernels::UpdateSpans Optimizer::Spans(Range range, std::span<float> parameters,
                                      std::span<const float> gradient) {
  MLP_CHECK_EQ(parameters.size(), parameters_);
  MLP_CHECK_EQ(gradient.size(), range.size());
  kernels::UpdateSpans spans = {parameters.subspan(range.begin, range.size()), gradient, {}};
  for (size_t k = 0; k < state_count(); ++k) {
    spans.states[k] = state(k).subspan(range.begin, range.size());
  }
  return spans;
}

}  // namespace mlp::optim
