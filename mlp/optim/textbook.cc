#include "mlp/optim/textbook.h"

namespace mlp::optim {

std::unique_ptr<reference::Optimizer> Textbook(const OptimizerOptions& o) {
  using kernels::OptimizerKind;
  switch (o.kind) {
    case OptimizerKind::kSgd:
      return std::make_unique<reference::Sgd>(
          reference::SgdOptions{.learning_rate = o.learning_rate, .weight_decay = o.weight_decay});
    case OptimizerKind::kMomentum:
      return std::make_unique<reference::Momentum>(
          reference::MomentumOptions{.learning_rate = o.learning_rate,
                                     .momentum = o.momentum,
                                     .weight_decay = o.weight_decay});
    case OptimizerKind::kRmsProp:
      return std::make_unique<reference::RmsProp>(
          reference::RmsPropOptions{.learning_rate = o.learning_rate,
                                    .rho = o.rho,
                                    .epsilon = o.epsilon,
                                    .weight_decay = o.weight_decay});
    case OptimizerKind::kAdam:
      return std::make_unique<reference::Adam>(
          reference::AdamOptions{.learning_rate = o.learning_rate,
                                 .beta1 = o.beta1,
                                 .beta2 = o.beta2,
                                 .epsilon = o.epsilon,
                                 .weight_decay = o.weight_decay});
  }
  __builtin_unreachable();
}

}  // namespace mlp::optim
