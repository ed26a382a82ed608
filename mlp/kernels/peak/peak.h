// What this machine can do at most, measured: the roofs over what a kernel attains (Williams,
// Waterman & Patterson, "Roofline: an insightful visual performance model", 2009).
//
// Loops of one kind of instruction on registers, reads of data that fit one level of the memory,
// and an optimizer's traffic. On a shared machine a rate is a lower bound: the best of several
// short samples is taken.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mlp/base/isa.h"
#include "mlp/kernels/target.h"

namespace mlp::kernels {

// One roof.
struct Peak {
  enum class Kind {
    kArithmetic,  // flop/s: multiply-adds on registers
    kRead,        // bytes/s: the sum of an array that fits this level, read again and again
    kUpdate,  // bytes/s: parameters and two moments read and written, gradients read, as Adam does
  };
  Kind kind = Kind::kArithmetic;
  // "fp32/avx2", "bf16/avx512_bf16", "bf16/amx_bf16"; "L1", "L2", "L3", "memory"; "update".
  std::string name = "";
  size_t bytes = 0;  // of the data that one thread goes through; 0 for arithmetic
};

// Those of this machine, for so many threads, which share the last cache and the memory:
// arithmetic, slowest instruction set first; reads, nearest first; the update of 134,794 parameters
// (the model 784-128-128-128-10).
std::vector<Peak> PeaksOf(int threads);

// The name of the arithmetic peak of products by a unit for bfloat16 (PairKernels::unit); without
// one, of single precision on the instruction set.
std::string ArithmeticName(Isa isa, absl::string_view unit = "");

// The best sample of about `seconds` of measuring by `threads` threads at once, in flop/s or
// bytes/s of all together. Every peak takes three samples at least.
double MeasurePeak(const Peak& peak, int threads, double seconds);

// What one measurement came to.
struct Rate {
  Peak peak;
  double one_thread = 0;  // flop/s or bytes/s
  double all_threads = 0;
};
struct Peaks {
  int threads = 1;
  std::vector<Rate> rates;  // as PeaksOf(threads) has them

  // The rate with this name, which has to be there.
  const Rate& Find(absl::string_view name) const;
};

// All of them, in less than a second: to be kept, not to be asked for twice.
Peaks MeasurePeaks(int threads);

}  // namespace mlp::kernels
