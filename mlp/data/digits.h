// The embedded dataset `digits`: 28 x 28 grey pictures of handwritten digits, drawn by a random
// writer from stroke models. Nothing is downloaded or stored; a seed names the whole dataset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/data/dataset.h"
#include "mlp/data/pen.h"

namespace mlp::data {

// Draws sample `index` of a part (0 train, 1 test) and returns its label. A sample depends on its
// arguments alone: not on threads, build mode or the other samples.
uint8_t DrawDigit(uint64_t seed, uint32_t part, uint32_t index,
                  std::span<uint8_t, kDigitPixels> pixels);

// Both parts are independent draws from one distribution. train and test are below 2^32. Training
// pixels are packed where less than this part of them, `pack_below`, is not 0; those of the test
// part likewise.
Dataset MakeDigits(uint64_t seed, size_t train = 60000, size_t test = 10000, double pack_below = 0,
                   double pack_test_below = 0);

}  // namespace mlp::data
