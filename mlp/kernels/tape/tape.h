// What a tape is in memory, and the passes over it: the reverse sweep, which finds the derivatives,
// and the replay, which computes all values anew.
//
// Every value has a number (its id), counted up as they are computed. Three arrays go by it:
// values, adjoints, and words, which say how the value came to be: an op and the ids of its
// operands, all of them smaller. Partial derivatives are not stored but computed again from values.
//
// A run is many equal ops in one record: a sum of products, a sum, or an op on each of consecutive
// values. Its operands have consecutive ids, so that its passes are loops over arrays.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "mlp/base/isa.h"
#include "mlp/kernels/tape/pack.h"

namespace mlp::tape {

using Id = uint32_t;

enum class Op : uint8_t {
#define MLP_BINARY(functor, name) k##functor,
#define MLP_UNARY(functor, name) k##functor,
#include "mlp/kernels/tape/tape_ops.inc"
  kLeaf,      // an input, a parameter or a plain number
  kData,      // an input whose adjoint nobody asks for; operand a: the first of its block
  kDot,       // c + sum of a[k] * b[k]; operand a: the run
  kMinusDot,  // c - sum of a[k] * b[k]; operand a: the run
  kSum,       // c + sum of b[k]; operand a: the run
  kMap,       // one element of an op on consecutive operands; operand a: the run, b: the op
  kGuard,     // a comparison that the program depended on: a < b; value: its outcome
  kLessEqualGuard,
  kEqualGuard,
  kCall,  // a segment that is recorded again when its derivatives are asked for; operand a: which
};

absl::string_view Name(Op op);
// 2 or 1 for the ops of tape_ops.inc, else 0.
int Operands(Op op);
// Whether operand b is a plain number.
constexpr bool HasNumber(Op op) {
  return op == Op::kAddNumber || op == Op::kNumberSub || op == Op::kMulNumber ||
         op == Op::kDivNumber || op == Op::kNumberDiv || op == Op::kPowNumber ||
         op == Op::kKeepNumber;
}

// One id's word: op, b and a. A struct of its own, so that the compiler knows it from other words.
struct Word {
  uint64_t bits;

  static constexpr int kIdBits = 28;
  static constexpr uint64_t kIdMask = (uint64_t{1} << kIdBits) - 1;
  // From a word to the next in a run: each operand's successor.
  static constexpr uint64_t kNextA = 1;
  static constexpr uint64_t kNextB = uint64_t{1} << kIdBits;
  static constexpr uint64_t kNone = ~uint64_t{0};  // no word: there is no such op

  static constexpr Word Make(Op op, Id a, Id b = 0) {
    return {static_cast<uint64_t>(op) << (2 * kIdBits) | static_cast<uint64_t>(b) << kIdBits | a};
  }
  Op op() const { return static_cast<Op>(bits >> (2 * kIdBits)); }
  Id a() const { return static_cast<Id>(bits & kIdMask); }
  Id b() const { return static_cast<Id>(bits >> kIdBits & kIdMask); }
};

inline constexpr Id kMaxIds = Id{1} << Word::kIdBits;

// Ids that every tape has: numbers that partial derivatives are made of.
inline constexpr Id kZero = 0;
inline constexpr Id kOne = 1;
inline constexpr Id kMinusOne = 2;
// Blocks of leaves begin at multiples of it, on a cache line of their own: a vector that straddles
// two lines is two accesses.
inline constexpr Id kLineIds = 16;
inline constexpr Id kFirstId = kLineIds;

struct Run {
  Id a, b;  // the first operands
  Id c;     // of a sum: what it began with; of a map: its first result
  Id n;     // terms of a sum; of a map the results up to the one looked at count
};

// The arrays of a tape of numbers T. Where T is a pack of samples, ids below `uniform` are the same
// in all of them and lie in arrays of plain numbers.
template <class T, class Uniform>
struct Arrays {
  T* values;
  T* adjoints;
  const Word* words;
  const Run* runs;
  Uniform* uniform_values;
  Uniform* uniform_adjoints;
  Id uniform;
};

template <class T>
using ArraysOf = Arrays<T, typename PackTraits<T>::Element>;

// The passes, compiled for one instruction set.
template <class T>
struct Passes {
  // Adds, for every id from `from` down to `to`, its adjoint times its partial derivatives to the
  // adjoints of its operands. Stops early at a kCall and returns its id, else `to` - 1.
  int64_t (*sweep)(const ArraysOf<T>& tape, Id from, Id to);
  // Computes the values from id `from` up to `to`, both included, from those before. Stops at a
  // guard whose outcome differs and returns its id, else `to` + 1.
  Id (*replay)(const ArraysOf<T>& tape, Id from, Id to);
  // y = the value of a sum of products (op: kDot or kMinusDot) of values that are all there.
  void (*value)(const ArraysOf<T>& tape, Op op, const Run& run, T& y);
  // y = c + sum of a[k] * b[k].
  void (*dot)(const T& c, const T* a, const T* b, size_t n, T& y);
};

using Pack8f = Pack<float, 8>;
using Pack16f = Pack<float, 16>;
using Pack4d = Pack<double, 4>;
using Pack8d = Pack<double, 8>;

// The numbers that passes are compiled for: MLP_TAPE_NUMBER(type).
#define MLP_TAPE_NUMBERS(MLP_TAPE_NUMBER) \
  MLP_TAPE_NUMBER(float)                  \
  MLP_TAPE_NUMBER(double)                 \
  MLP_TAPE_NUMBER(Pack8f)                 \
  MLP_TAPE_NUMBER(Pack16f)                \
  MLP_TAPE_NUMBER(Pack4d)                 \
  MLP_TAPE_NUMBER(Pack8d)

template <class T>
inline constexpr bool kHasPasses = false;
template <class T>
const Passes<T>& PassesFor(Isa isa = BestIsa());
#define MLP_TAPE_NUMBER(T)                    \
  template <>                                 \
  inline constexpr bool kHasPasses<T> = true; \
  template <>                                 \
  const Passes<T>& PassesFor<T>(Isa isa);
MLP_TAPE_NUMBERS(MLP_TAPE_NUMBER)
#undef MLP_TAPE_NUMBER

}  // namespace mlp::tape
