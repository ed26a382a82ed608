// The largest of some errors, for tests and records: one that is no number is larger than any.
#pragma once

#include <cmath>
#include <limits>

namespace mlp {

class LargestError {
 public:
  void Add(double error) {
    if (!(error <= largest_)) {
      largest_ = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
    }
  }
  double value() const { return largest_; }

 private:
  double largest_ = 0;
};

}  // namespace mlp
