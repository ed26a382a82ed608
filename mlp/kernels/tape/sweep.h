// The passes over a tape, for every number type. Included by loops.cc, once for each instruction
// set, and by number types of a user's own; all that is here has internal linkage.
#pragma once

#include <type_traits>

#include "mlp/kernels/tape/op_math.h"
#include "mlp/kernels/tape/tape.h"

// Marks of loops for the vectoriser: loops.cc has them from mlp/kernels/loops.h.
#ifndef MLP_INDEPENDENT
#define MLP_INDEPENDENT
#define MLP_VECTOR_SUM(sum)
#endif

namespace mlp::tape {
namespace {

template <class Functor>
constexpr bool kIsBinary = requires {
  &Functor::template SlopeA<double>;
};
// Whether operand b is a plain number.
template <class Functor>
constexpr bool kHasNumber = kIsBinary<Functor> && !requires {
  &Functor::template SlopeB<double>;
};

template <class T>
struct Sweeper {
  using Element = typename PackTraits<T>::Element;
  static constexpr bool kPacked = PackTraits<T>::kWidth > 1;

  const ArraysOf<T> t;

  [[gnu::always_inline]] T Value(Id id) const {
    if constexpr (kPacked) {
      if (id < t.uniform) return T(t.uniform_values[id]);
    }
    return t.values[id];
  }

  [[gnu::always_inline]] void AddTo(Id id, T adjoint) const {
    if constexpr (kPacked) {
      if (id < t.uniform) {
        t.uniform_adjoints[id] += Sum(adjoint);
        return;
      }
    }
    t.adjoints[id] = t.adjoints[id] + adjoint;
  }

  // adjoints of to[0, n) += q * values of from[0, n).
  [[gnu::always_inline]] void Axpy(T q, Id from, Id to, Id n) const {
    if constexpr (kPacked) {
      const bool to_uniform = to < t.uniform;
      const bool from_uniform = from < t.uniform;
      if ((to_uniform && to + n > t.uniform) || (from_uniform && from + n > t.uniform)) {
        for (Id k = 0; k < n; ++k) AddTo(to + k, Chain(q, Value(from + k)));
      } else if (to_uniform && from_uniform) {
        const Element sum = Sum(q);
        for (Id k = 0; k < n; ++k) {
          t.uniform_adjoints[to + k] += sum * t.uniform_values[from + k];
        }
      } else if (to_uniform) {
        for (Id k = 0; k < n; ++k) {
          t.uniform_adjoints[to + k] += Sum(Chain(q, t.values[from + k]));
        }
      } else if (from_uniform) {
        for (Id k = 0; k < n; ++k) {
          t.adjoints[to + k] = t.adjoints[to + k] + Chain(q, T(t.uniform_values[from + k]));
        }
      } else {
        for (Id k = 0; k < n; ++k) {
          t.adjoints[to + k] = t.adjoints[to + k] + Chain(q, t.values[from + k]);
        }
      }
      return;
    }
    const T* const x = t.values + from;
    T* const y = t.adjoints + to;
    if constexpr (std::is_floating_point_v<T>) {
      MLP_INDEPENDENT
      for (Id k = 0; k < n; ++k) y[k] += q * x[k];
    } else {
      for (Id k = 0; k < n; ++k) y[k] = y[k] + q * x[k];
    }
  }

  // Whether the n ids from `first` are one block of data: nobody asks for their adjoints.
  bool IsData(Id first, Id n) const {
    const Word begin = t.words[first];
    return begin.op() == Op::kData && t.words[first + n - 1].bits == begin.bits;
  }

  void Dot(Id id) const {
    const Word word = t.words[id];
    const Run run = t.runs[word.a()];
    const T q = t.adjoints[id];
    if (IsZero(q)) return;
    AddTo(run.c, q);
    const T of_products = word.op() == Op::kDot ? q : -q;
    if (!IsData(run.a, run.n)) Axpy(of_products, run.b, run.a, run.n);
    if (!IsData(run.b, run.n)) Axpy(of_products, run.a, run.b, run.n);
  }

  void SumRun(Id id) const {
    const Run run = t.runs[t.words[id].a()];
    const T q = t.adjoints[id];
    AddTo(run.c, q);
    for (Id k = 0; k < run.n; ++k) AddTo(run.b + k, q);
  }

  template <class Functor>
  [[gnu::always_inline]] void Single(Id id, Id a, [[maybe_unused]] Id b) const {
    const T q = t.adjoints[id];
    const T y = t.values[id];
    const T x = Value(a);
    if constexpr (kIsBinary<Functor>) {
      const T z = Value(b);
      AddTo(a, Chain(q, Functor::template SlopeA<T>(x, z, y)));
      if constexpr (!kHasNumber<Functor>) AddTo(b, Chain(q, Functor::template SlopeB<T>(x, z, y)));
    } else {
      AddTo(a, Chain(q, Functor::template Slope<T>(x, y)));
    }
  }

  // The n first elements of a map. Its operands lie before its results, so all are independent; but
  // the ranges of a and b may overlap each other.
  template <class Functor>
  void Map(const Run& run, Id n) const {
    if constexpr (std::is_floating_point_v<T>) {
      const T* const q = t.adjoints + run.c;
      const T* const y = t.values + run.c;
      const T* const a = t.values + run.a;
      T* const da = t.adjoints + run.a;
      if constexpr (kHasNumber<Functor>) {
        const T b = t.values[run.b];
        MLP_INDEPENDENT
        for (Id k = 0; k < n; ++k) da[k] += Chain(q[k], Functor::template SlopeA<T>(a[k], b, y[k]));
      } else if constexpr (kIsBinary<Functor>) {
        const T* const b = t.values + run.b;
        T* const db = t.adjoints + run.b;
        MLP_INDEPENDENT
        for (Id k = 0; k < n; ++k)
          da[k] += Chain(q[k], Functor::template SlopeA<T>(a[k], b[k], y[k]));
        MLP_INDEPENDENT
        for (Id k = 0; k < n; ++k)
          db[k] += Chain(q[k], Functor::template SlopeB<T>(a[k], b[k], y[k]));
      } else {
        MLP_INDEPENDENT
        for (Id k = 0; k < n; ++k) da[k] += Chain(q[k], Functor::template Slope<T>(a[k], y[k]));
      }
    } else {
      for (Id k = 0; k < n; ++k) {
        Single<Functor>(run.c + k, run.a + k, run.b + (kHasNumber<Functor> ? 0 : k));
      }
    }
  }

  void Map(Id id) const {
    const Word word = t.words[id];
    const Run run = t.runs[word.a()];
    switch (static_cast<Op>(word.b())) {
#define MLP_BINARY(functor, name) \
  case Op::k##functor:            \
    return Map<functor>(run, id - run.c + 1);
#define MLP_UNARY MLP_BINARY
#include "mlp/kernels/tape/tape_ops.inc"
      default:
        __builtin_unreachable();
    }
  }

  // All but the three ops that Sweep takes itself. Returns the id that comes next.
  [[gnu::noinline]] Id Other(Id id) const {
    const Word word = t.words[id];
    switch (word.op()) {
#define MLP_BINARY(functor, name)            \
  case Op::k##functor:                       \
    Single<functor>(id, word.a(), word.b()); \
    break;
#define MLP_UNARY MLP_BINARY
#include "mlp/kernels/tape/tape_ops.inc"
      case Op::kLeaf:
      case Op::kData:
        // At once to the block's first, whose word may be that of a call.
        if (word.a() != id) return word.a();
        break;
      case Op::kGuard:
      case Op::kLessEqualGuard:
      case Op::kEqualGuard:
      case Op::kCall:
        break;
      case Op::kDot:
      case Op::kMinusDot:
        Dot(id);
        break;
      case Op::kSum:
        SumRun(id);
        break;
      case Op::kMap:
        Map(id);
        return t.runs[word.a()].c - 1;
    }
    return id - 1;
  }

  // Sums, differences and products differ in their partial derivatives alone, and these are values
  // of some id: of 1, of -1, or of the other operand. To choose an id takes no branch, which could
  // not be foreseen.
  int64_t Sweep(Id from, Id to) const {
    static_assert(static_cast<int>(Op::kAdd) == 0 && static_cast<int>(Op::kSub) == 1 &&
                  static_cast<int>(Op::kMul) == 2 && static_cast<int>(Op::kAddNumber) == 3 &&
                  static_cast<int>(Op::kNumberSub) == 4 && static_cast<int>(Op::kMulNumber) == 5);
    // Tapes beyond the caches are read backwards, three arrays at a time, and operands lie some way
    // below their op: what is asked for has to be further down than most of them.
    constexpr size_t kLineBytes = 64;
    constexpr Id kLine = 8;  // ids
    constexpr int64_t kAhead = 2048;
    static constexpr Id kIdOfA[] = {kOne, kOne, 0, kOne, kMinusOne, 0};
    static constexpr Id kIdOfB[] = {kOne, kMinusOne, 0};
    static constexpr Id kOtherMask[] = {0, 0, ~Id{0}, 0, 0, ~Id{0}};
    for (int64_t i = from; i >= static_cast<int64_t>(to);) {
      const auto id = static_cast<Id>(i);
      if constexpr (sizeof(T) <= kLineBytes / kLine) {
        if (id % kLine == 0) {
          __builtin_prefetch(t.words + i - kAhead);
          __builtin_prefetch(t.values + i - kAhead);
          __builtin_prefetch(t.adjoints + i - kAhead, 1);
        }
      }
      const Word word = t.words[id];
      const auto op = static_cast<unsigned>(word.op());
      if (op <= static_cast<unsigned>(Op::kMulNumber)) [[likely]] {
        const Id a = word.a(), b = word.b();
        const T q = t.adjoints[id];
        const Id factor_a = (b & kOtherMask[op]) | kIdOfA[op];
        T to_a = q * Value(factor_a);
        if (op <= static_cast<unsigned>(Op::kMul)) {
          const Id factor_b = (a & kOtherMask[op]) | kIdOfB[op];
          T to_b = q * Value(factor_b);
          if (MayNeedChain(to_a, to_b)) [[unlikely]] {
            to_a = Chain(q, Value(factor_a));
            to_b = Chain(q, Value(factor_b));
          }
          AddTo(a, to_a);
          AddTo(b, to_b);
        } else {
          if (MayNeedChain(to_a, to_a)) [[unlikely]]
            to_a = Chain(q, Value(factor_a));
          AddTo(a, to_a);
        }
        --i;
      } else if (word.op() == Op::kCall) [[unlikely]] {
        return i;
      } else {
        i = Other(id);
      }
    }
    return static_cast<int64_t>(to) - 1;
  }

  static void DotValue(const T& c, const T* a, const T* b, size_t n, T& y) {
    if constexpr (std::is_floating_point_v<T>) {
      T sum = 0;
      MLP_VECTOR_SUM(sum)
      for (size_t k = 0; k < n; ++k) sum += a[k] * b[k];
      y = c + sum;
    } else {
      T sum = c;
      for (size_t k = 0; k < n; ++k) sum = sum + a[k] * b[k];
      y = sum;
    }
  }

  // Of packs four sums, so that an addition need not wait for the one before.
  T RunValue(Op op, const Run& run) const {
    T y = Value(run.c);
    if constexpr (kPacked) {
      T sums[4] = {T(0), T(0), T(0), T(0)};
      const auto add = [&](auto a, auto b) {
        Id k = 0;
        for (; k + 4 <= run.n; k += 4) {
          for (Id i = 0; i < 4; ++i) sums[i] = sums[i] + a(k + i) * b(k + i);
        }
        for (; k < run.n; ++k) sums[0] = sums[0] + a(k) * b(k);
      };
      const auto uniform = [&](Id first) {
        return [numbers = t.uniform_values + first](Id k) { return T(numbers[k]); };
      };
      const auto own = [&](Id first) {
        return [numbers = t.values + first](Id k) { return numbers[k]; };
      };
      // Uniform ids come first: a run that begins with one may end beyond them.
      const bool straddles = (run.a < t.uniform && run.a + run.n > t.uniform) ||
                             (run.b < t.uniform && run.b + run.n > t.uniform);
      if (straddles) {
        add([&](Id k) { return Value(run.a + k); }, [&](Id k) { return Value(run.b + k); });
      } else if (run.a < t.uniform && run.b < t.uniform) {
        add(uniform(run.a), uniform(run.b));
      } else if (run.a < t.uniform) {
        add(uniform(run.a), own(run.b));
      } else if (run.b < t.uniform) {
        add(own(run.a), uniform(run.b));
      } else {
        add(own(run.a), own(run.b));
      }
      const T sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
      y = op == Op::kDot ? y + sum : y - sum;
    } else if (op == Op::kDot) {
      DotValue(y, t.values + run.a, t.values + run.b, run.n, y);
    } else {
      T sum;
      DotValue(T(0), t.values + run.a, t.values + run.b, run.n, sum);
      y = y - sum;
    }
    return y;
  }

  [[gnu::noinline]] bool ReplayOne(Id id) const {
    const Word word = t.words[id];
    T& y = t.values[id];
    switch (word.op()) {
#define MLP_BINARY(functor, name)             \
  case Op::k##functor:                        \
    y = Compute<functor>(word.a(), word.b()); \
    break;
#define MLP_UNARY MLP_BINARY
#include "mlp/kernels/tape/tape_ops.inc"
      case Op::kLeaf:
      case Op::kData:
        break;
      case Op::kGuard:
      case Op::kLessEqualGuard:
      case Op::kEqualGuard:
        return SameOutcome(word, y);
      case Op::kCall:
        return false;
      case Op::kDot:
      case Op::kMinusDot:
        y = RunValue(word.op(), t.runs[word.a()]);
        break;
      case Op::kSum: {
        const Run run = t.runs[word.a()];
        y = Value(run.c);
        for (Id k = 0; k < run.n; ++k) y = y + Value(run.b + k);
        break;
      }
      case Op::kMap: {
        const Run run = t.runs[word.a()];
        const Id k = id - run.c;
        switch (static_cast<Op>(word.b())) {
#define MLP_BINARY(functor, name)                                           \
  case Op::k##functor:                                                      \
    y = Compute<functor>(run.a + k, run.b + (kHasNumber<functor> ? 0 : k)); \
    break;
#define MLP_UNARY MLP_BINARY
#include "mlp/kernels/tape/tape_ops.inc"
          default:
            __builtin_unreachable();
        }
        break;
      }
    }
    return true;
  }

  template <class Functor>
  [[gnu::always_inline]] T Compute(Id a, [[maybe_unused]] Id b) const {
    if constexpr (kIsBinary<Functor>) {
      return Functor::template Value<T>(Value(a), Value(b));
    } else {
      return Functor::template Value<T>(Value(a));
    }
  }

  bool SameOutcome(Word word, const T& before) const {
    const T a = Value(word.a()), b = Value(word.b());
    const T now = word.op() == Op::kGuard            ? select(a < b, T(1), T(0))
                  : word.op() == Op::kLessEqualGuard ? select(a <= b, T(1), T(0))
                                                     : select(a == b, T(1), T(0));
    return IsZero(now - before);
  }

  Id Replay(Id from, Id to) const {
    for (Id id = from; id <= to; ++id) {
      if (!ReplayOne(id)) return id;
    }
    return to + 1;
  }

  static int64_t SweepPass(const ArraysOf<T>& tape, Id from, Id to) {
    return Sweeper{tape}.Sweep(from, to);
  }
  static Id ReplayPass(const ArraysOf<T>& tape, Id from, Id to) {
    return Sweeper{tape}.Replay(from, to);
  }

  static void ValuePass(const ArraysOf<T>& tape, Op op, const Run& run, T& y) {
    y = Sweeper{tape}.RunValue(op, run);
  }

  static constexpr Passes<T> kPasses = {SweepPass, ReplayPass, ValuePass, DotValue};
};

}  // namespace
}  // namespace mlp::tape
