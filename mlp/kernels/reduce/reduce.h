// Sums. Each has one fixed order, whatever the number of workers.
#pragma once

#include <span>

#include "mlp/kernels/context.h"
#include "mlp/kernels/output.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

// sums[j] = or += sum of x[i, j] over i, in order of i.  x: [m, n], sums: [n]. Workers split the
// columns.
void ColumnSums(const Context& context, ConstMatrix x, Output output, std::span<float> sums);

// How many partial sums SquaredNorm needs for n elements.
size_t NormPartials(size_t n);

// Sum of x[i]^2, the same on every worker. partials: [NormPartials(x.size())], shared by the team.
// Contains a Sync.
double SquaredNorm(const Context& context, std::span<const float> x, std::span<double> partials);

// Sum of x[i] in order of i, in double, by this worker alone.
double Sum(std::span<const float> x);

}  // namespace mlp::kernels
