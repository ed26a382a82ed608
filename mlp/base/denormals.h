// Denormal numbers as zero, in and out, while an object of this class lives on this thread.
//
// Moments of inputs that are always 0 decay into denormals, on which the CPU is an order of
// magnitude slower.
#pragma once

#include <xmmintrin.h>

namespace mlp {

class ScopedFlushDenormals {
 public:
  ScopedFlushDenormals() : saved_(_mm_getcsr()) {
    _mm_setcsr(saved_ | kFlushToZero | kDenormalsAreZero);
  }
  ~ScopedFlushDenormals() { _mm_setcsr(saved_); }
  ScopedFlushDenormals(const ScopedFlushDenormals&) = delete;
  ScopedFlushDenormals& operator=(const ScopedFlushDenormals&) = delete;

 private:
  static constexpr unsigned kFlushToZero = 0x8000;
  static constexpr unsigned kDenormalsAreZero = 0x0040;
  const unsigned saved_;
};

}  // namespace mlp
