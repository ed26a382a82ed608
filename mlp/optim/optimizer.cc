#include "mlp/optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mlp/base/check.h"
#include "mlp/base/shortest.h"
#include "mlp/base/status_macros.h"

namespace mlp::optim {
namespace {

using kernels::OptimizerKind;

constexpr double kLeastOfSquares = 0.01;

// Whether its kernel divides by the rate.
constexpr bool DividesByRate(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kSgd:
    case OptimizerKind::kMomentum:
      return false;
    case OptimizerKind::kRmsProp:
    case OptimizerKind::kAdam:
      return true;
  }
  __builtin_unreachable();
}

size_t StateStride(size_t parameters) {
  return RoundUp(parameters, kCacheLineBytes / sizeof(float));
}

absl::Status Wrong(absl::string_view flag, absl::string_view expected, double found,
                   absl::string_view usual) {
  // All digits: what rounds to 1 need not look like it.
  return absl::InvalidArgumentError(absl::StrCat(flag, ": expected ", expected, ", found ",
                                                 Shortest(found), "; ", usual, " is usual"));
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
  const auto check_unit = [&](absl::string_view flag, double beta, absl::string_view usual) {
    return in_unit(beta) ? absl::OkStatus()
                         : Wrong(flag, "a number in [0, 1), also as a float", beta, usual);
  };
  // Of a mean of squares: one that forgets at once would lose a small square to the rounding of a
  // large one before it, and the parameter would make a step of 1 / epsilon.
  const auto check_of_squares = [&](absl::string_view flag, double beta, absl::string_view usual) {
    return in_unit(beta) && beta >= kLeastOfSquares
               ? absl::OkStatus()
               : Wrong(flag,
                       absl::StrCat("a number in [", kLeastOfSquares, ", 1), also as a float"),
                       beta, usual);
  };
  switch (o.kind) {
    case OptimizerKind::kSgd:
      return absl::OkStatus();
    case OptimizerKind::kMomentum:
      return check_unit("--momentum", o.momentum, "0.9");
    case OptimizerKind::kRmsProp:
      MLP_RETURN_IF_ERROR(check_of_squares("--rho", o.rho, "0.9"));
      break;
    case OptimizerKind::kAdam:
      MLP_RETURN_IF_ERROR(check_unit("--beta1", o.beta1, "0.9"));
      MLP_RETURN_IF_ERROR(check_of_squares("--beta2", o.beta2, "0.999"));
      break;
  }
  // Denormals are flushed to 0, and 0 / 0 would follow.
  if (!(o.epsilon >= std::numeric_limits<float>::min())) {
    return Wrong("--epsilon", "a number from 1.2e-38", o.epsilon, "1e-8");
  }
  return absl::OkStatus();
}

Powers::Powers(double base) : base_(base) {
  for (size_t t = 0; t < low_.size(); ++t) low_[t] = std::pow(base, static_cast<double>(t));
}

double Powers::At(int64_t t) {
  if (const int64_t block = t / kLow; block != block_) {
    block_ = block;
    high_ = std::pow(base_, static_cast<double>(block * kLow));
  }
  return high_ * low_[static_cast<size_t>(t % kLow)];
}

template <class T>
StepConstants<T>::StepConstants(const OptimizerOptions& o)
    : kind_(o.kind),
      weight_decay_(o.weight_decay),
      // The moments decay by betas rounded to T, and 1 - beta2 is so small that the rounding shows:
      // the corrections follow the betas that are used.
      beta1_(static_cast<T>(kind_ == OptimizerKind::kMomentum ? o.momentum : o.beta1)),
      beta2_(static_cast<T>(kind_ == OptimizerKind::kRmsProp ? o.rho : o.beta2)),
      log2_beta1_(std::log2(beta1_)),
      log2_beta2_(std::log2(beta2_)),
      powers1_(beta1_),
      powers2_(beta2_),
      step_{.beta1 = static_cast<T>(beta1_),
            .beta2 = static_cast<T>(beta2_),
            .epsilon = static_cast<T>(o.epsilon)} {}

template <class T>
const kernels::UpdateStepOf<T>& StepConstants<T>::At(int64_t step, double learning_rate) {
  const auto t = static_cast<double>(step);
  // 1 - beta^t. From 2^-60 on the power is lost beside 1, and neither it nor what is divided by 1
  // is worth its computation: tiny nets do ten million steps in a second.
  const auto needs_correction = [&](double log2_beta) {
    return kind_ == OptimizerKind::kAdam && t * log2_beta >= -60;
  };
  // Kernels that divide by a root divide by the rate, too: it must not become 0, nor what is
  // divided infinite.
  constexpr double kLeastRate = 1e-24;
  const double rate = DividesByRate(kind_) ? std::max(learning_rate, kLeastRate) : learning_rate;
  step_.keep = static_cast<T>(1 - rate * weight_decay_);
  step_.rate =
      static_cast<T>(needs_correction(log2_beta1_) ? rate / (1 - powers1_.At(step)) : rate);
  step_.root_scale =
      static_cast<T>(needs_correction(log2_beta2_) ? 1 / std::sqrt(1 - powers2_.At(step)) : 1);
  return step_;
}

template class StepConstants<float>;
template class StepConstants<double>;

Optimizer::Optimizer(const OptimizerOptions& options, size_t parameters)
    : options_(options),
      parameters_(parameters),
      constants_(options),
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
  constants_.At(steps_, learning_rate_);
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
