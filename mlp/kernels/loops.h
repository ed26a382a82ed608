// For loops.cc files: which backend they are compiled as, and how a loop may be vectorised.
#pragma once

#include "mlp/kernels/target.h"

#ifdef MLP_TARGET_IS_SCALAR
#define MLP_TARGET_BACKEND kScalar
#define MLP_TARGET_ISA kSse2
#define MLP_VECTOR_SUM(sum)
#else
#define MLP_TARGET_BACKEND kAutovec
// Lets the compiler keep several partial sums, which the language does not.
#define MLP_VECTOR_SUM(sum) _Pragma("omp simd reduction(+ : sum)")
#endif

// Before a loop whose iterations do not depend on each other, though pointers might overlap.
#ifdef __clang__
#define MLP_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define MLP_INDEPENDENT _Pragma("GCC ivdep")
#endif
