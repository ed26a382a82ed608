// Loops over elements that are not activations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/kernels/context.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

// x[i, j] = scale * pixels[rows[i], j].  pixels: [*, features] of bytes, x: [rows.size(),
// features]. Workers split the rows.
void GatherRows(const Context& context, const uint8_t* pixels, std::span<const uint32_t> rows,
                float scale, Matrix x);

// x[i, j] = values[rows[i], j].  values: [*, features]. Workers split the rows.
void GatherRows(const Context& context, const float* values, std::span<const uint32_t> rows,
                Matrix x);

// x *= factor. Workers split the elements.
void Scale(const Context& context, float factor, std::span<float> x);

// y += x. Workers split the elements.
void AddTo(const Context& context, std::span<const float> x, std::span<float> y);

// y += x, each element by a relaxed atomic addition, by this worker alone while others may be
// adding to the same y.
void AtomicAddTo(std::span<const float> x, std::span<float> y);

}  // namespace mlp::kernels
