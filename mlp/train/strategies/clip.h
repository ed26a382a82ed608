// Clipping by global norm: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent
// neural networks", 2013, algorithm 1.
#pragma once

#include <cmath>
#include <span>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/profile.h"
#include "mlp/kernels/elementwise/elementwise.h"
#include "mlp/kernels/reduce/reduce.h"

namespace mlp::train {

class Clipper {
 public:
  // max_norm 0 never clips.
  Clipper(double max_norm, size_t parameters)
      : max_norm_(max_norm), partials_(max_norm > 0 ? kernels::NormPartials(parameters) : 0) {}

  bool clips() const { return max_norm_ > 0; }

  // gradient *= max_norm / |gradient| where the norm is larger. SPMD, ends with a Sync.
  void Clip(const kernels::Context& context, std::span<float> gradient) {
    if (!clips()) return;
    const ProfileScope scope(context.lane, ProfileOp::kClip);
    const double norm = std::sqrt(kernels::SquaredNorm(context, gradient, partials_.span()));
    if (norm > max_norm_) kernels::Scale(context, static_cast<float>(max_norm_ / norm), gradient);
    context.Sync();
  }

 private:
  const double max_norm_;
  AlignedBuffer<double> partials_;
};

}  // namespace mlp::train
