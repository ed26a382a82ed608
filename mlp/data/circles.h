// The generated dataset `circles`: points on two circles around one centre, with noise. The task of
// scikit-learn's make_circles: which circle is a point of? No line can tell.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mlp/data/dataset.h"

namespace mlp::data {

struct CirclesOptions {
  uint64_t seed = 1;
  size_t train = 800;
  size_t test = 200;
  float factor = 0.5f;  // radius of the inner circle, class 1; that of the outer, class 0, is 1
  float noise = 0.1f;   // standard deviation of each coordinate
};

// Two values a sample. Classes take turns; a sample depends on the seed, its part and its index.
Dataset MakeCircles(const CirclesOptions& options);

}  // namespace mlp::data
