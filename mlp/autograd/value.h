// Numbers that remember how they were computed.
//
//   Tape<double> tape;
//   Value<double> a = 2, b = 3;
//   Value<double> c = a * b + tanh(a);
//   tape.Backward(c);
//   a.gradient();   // dc/da
//
// A Value is a number and its id on the thread's current tape: what + - * / and the functions below
// do is recorded there. They take values, leaves (see leaf.h) and plain numbers, in any mixture.
//
// A sum that grows by `s += w * x` or `s += x` over consecutive ids is one record, a run, however
// long; while it grows, nothing is written at all. So does `s -= w * x`, a run of its own, and
// `s = std::move(s) + w * x`, which is what std::inner_product does. To copy s, or to use it in
// another op, ends the run: the next term begins a new one. In `s = s + w * x` the sum is used, and
// a product and a sum are recorded for each term: whether the old s is wanted any more is not known
// before the assignment. Values are those of plain numbers to the last bit.
#pragma once

#include <iosfwd>
#include <limits>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>

#include "mlp/autograd/leaf.h"
#include "mlp/autograd/recorder.h"
#include "mlp/autograd/value_class.h"

namespace mlp::autograd {

template <class T>
[[gnu::always_inline]] inline T NumberOf(const Value<T>& v) {
  return v.value();
}
template <class T>
[[gnu::always_inline]] inline Id IdOf(Recorder<T>&, const Value<T>& v) {
  return v.id();
}

// An op of two variables, or of one and a plain number (b), recorded.
template <Op op, class Functor, class T, class A, class B>
[[gnu::always_inline]] inline Value<T> RecordOp(const A& a, const B& b) {
  Recorder<T>& recorder = *Recorder<T>::current;
  const Id id_a = IdOf(recorder, a);
  const Id id_b = IdOf(recorder, b);
  const T y = Functor::Value(NumberOf<T>(a), NumberOf<T>(b));
  return Value<T>::Recorded(y, recorder.template Record<op, 2>(id_a, id_b, y));
}
#define MLP_RECORD(functor, a, b) (RecordOp<Op::k##functor, tape::functor, T>(a, b))

template <class A, IsOperandBeside<A> B>
[[gnu::always_inline]] inline auto operator+(const A& a, const B& b) {
  using T = CommonNumber<A, B>;
  if constexpr (std::is_arithmetic_v<B>) {
    return MLP_RECORD(AddNumber, a, b);
  } else if constexpr (std::is_arithmetic_v<A>) {
    return MLP_RECORD(AddNumber, b, a);
  } else {
    return MLP_RECORD(Add, a, b);
  }
}
template <class A, IsOperandBeside<A> B>
[[gnu::always_inline]] inline auto operator-(const A& a, const B& b) {
  using T = CommonNumber<A, B>;
  if constexpr (std::is_arithmetic_v<B>) {
    return MLP_RECORD(AddNumber, a, -static_cast<double>(b));
  } else if constexpr (std::is_arithmetic_v<A>) {
    return MLP_RECORD(NumberSub, b, a);
  } else {
    return MLP_RECORD(Sub, a, b);
  }
}
// Of two variables: recorded when it is used, unless that is as a term of a sum.
template <class A, IsOperandBeside<A> B>
[[gnu::always_inline]] inline auto operator*(const A& a, const B& b) {
  using T = CommonNumber<A, B>;
  if constexpr (std::is_arithmetic_v<B>) {
    return MLP_RECORD(MulNumber, a, b);
  } else if constexpr (std::is_arithmetic_v<A>) {
    return MLP_RECORD(MulNumber, b, a);
  } else if constexpr (std::same_as<A, Value<T>> && std::same_as<B, Value<T>>) {
    const Word word = Value<T>::ProductOf(a, b);
    if constexpr (Recorder<T>::kPacked) return Value<T>::Product(T(), word);
    return Value<T>::Product(a.value() * b.value(), word);
  } else {
    Recorder<T>& recorder = *Recorder<T>::current;
    const Id id_a = IdOf(recorder, a);
    const Id id_b = IdOf(recorder, b);
    const Word word = Word::Make(Op::kMul, id_a, id_b);
    if constexpr (Recorder<T>::kPacked) return Value<T>::Product(T(), word);
    return Value<T>::Product(NumberOf<T>(a) * NumberOf<T>(b), word);
  }
}
template <class A, IsOperandBeside<A> B>
[[gnu::always_inline]] inline auto operator/(const A& a, const B& b) {
  using T = CommonNumber<A, B>;
  if constexpr (std::is_arithmetic_v<B>) {
    return MLP_RECORD(DivNumber, a, b);
  } else if constexpr (std::is_arithmetic_v<A>) {
    return MLP_RECORD(NumberDiv, b, a);
  } else {
    return MLP_RECORD(Div, a, b);
  }
}
template <class A, IsOperandBeside<A> B>
[[gnu::always_inline]] inline auto max(const A& a, const B& b) {
  using T = CommonNumber<A, B>;
  return MLP_RECORD(Max, a, b);
}
template <class A, IsOperandBeside<A> B>
[[gnu::always_inline]] inline auto min(const A& a, const B& b) {
  using T = CommonNumber<A, B>;
  return MLP_RECORD(Min, a, b);
}
template <class A, IsOperandBeside<A> B>
[[gnu::always_inline]] inline auto atan2(const A& a, const B& b) {
  using T = CommonNumber<A, B>;
  return MLP_RECORD(Atan2, a, b);
}
template <class A, IsOperandBeside<A> B>
[[gnu::always_inline]] inline auto hypot(const A& a, const B& b) {
  using T = CommonNumber<A, B>;
  return MLP_RECORD(Hypot, a, b);
}
// a^b. Where b is no plain number, a has to be greater than 0 for the slope in b (else it is 0).
template <class A, IsOperandBeside<A> B>
auto pow(const A& a, const B& b) {
  using T = CommonNumber<A, B>;
  if constexpr (std::is_arithmetic_v<B>) {
    return MLP_RECORD(PowNumber, a, b);
  } else {
    return MLP_RECORD(Pow, a, b);
  }
}
// a where `mask` is not 0, else 0, even where a is infinite or NaN. The mask has no derivative.
template <IsVariable A>
auto keep(const A& a, const typename A::Number& mask) {
  using T = typename A::Number;
  return MLP_RECORD(KeepNumber, a, mask);
}
#undef MLP_RECORD

#define MLP_UNARY_FUNCTION(functor, function)                                            \
  template <IsVariable A>                                                                \
  [[gnu::always_inline]] inline auto function(const A& a) {                              \
    using T = typename A::Number;                                                        \
    Recorder<T>& recorder = *Recorder<T>::current;                                       \
    const Id id = IdOf(recorder, a);                                                     \
    const T y = tape::functor::Value(NumberOf<T>(a));                                    \
    return Value<T>::Recorded(y, recorder.template Record<Op::k##functor, 1>(id, 0, y)); \
  }
#define MLP_UNARY MLP_UNARY_FUNCTION
#include "mlp/kernels/tape/tape_ops.inc"
MLP_UNARY_FUNCTION(Neg, operator-)
MLP_UNARY_FUNCTION(Abs, fabs)
#undef MLP_UNARY_FUNCTION

template <IsVariable A>
Value<typename A::Number> operator+(const A& a) {
  return a;
}

// What nobody else has grows: so the sums of std::inner_product and std::accumulate are runs, too.
template <class T>
[[gnu::always_inline]] inline Value<T> operator+(Value<T>&& a, Value<T>&& b) {
  if (&a == &b) [[unlikely]]
    return std::as_const(a) + std::as_const(b);
  Value<T> sum = std::move(a);
  sum += std::move(b);
  return sum;
}
template <class T>
[[gnu::always_inline]] inline Value<T> operator+(Value<T>&& a, const Value<T>& b) {
  if (&a == &b) [[unlikely]]
    return std::as_const(a) + b;
  Value<T> sum = std::move(a);
  sum += b;
  return sum;
}

// Whether T can be compared: packs cannot, their samples would go different ways.
template <class T>
inline constexpr bool kHasOrder = !Recorder<T>::kPacked;

// Comparisons read the numbers. While a program is compiled (see compiled.h), what they say is
// recorded: a replay must come to the same.
template <class T>
bool Compare(Op op, bool outcome, Recorder<T>& recorder, Id a, Id b) {
  recorder.map_next = Word::kNone;
  recorder.Push(Word::Make(op, a, b), outcome ? T(1) : T(0));
  return outcome;
}
#define MLP_COMPARISON(op, guard, holds, left, right)                                           \
  template <class A, IsOperandBeside<A> B>                                                      \
  [[gnu::always_inline]] inline bool operator op(const A& a, const B& b) {                      \
    using T = CommonNumber<A, B>;                                                               \
    static_assert(kHasOrder<T>,                                                                 \
                  "values of packs cannot be compared: their samples would take different "     \
                  "branches. Choose in each sample by max, min, abs, relu or keep, or compare " \
                  "one sample's numbers: a.value()[sample]");                                   \
    if constexpr (kHasOrder<T>) {                                                               \
      Recorder<T>& recorder = *Recorder<T>::current;                                            \
      const bool outcome = NumberOf<T>(a) op NumberOf<T>(b);                                    \
      if (recorder.guards) [[unlikely]] {                                                       \
        Compare(Op::guard, outcome == holds, recorder, IdOf(recorder, left),                    \
                IdOf(recorder, right));                                                         \
      }                                                                                         \
      return outcome;                                                                           \
    } else {                                                                                    \
      return false;                                                                             \
    }                                                                                           \
  }
MLP_COMPARISON(<, kGuard, true, a, b)
MLP_COMPARISON(>, kGuard, true, b, a)
MLP_COMPARISON(<=, kLessEqualGuard, true, a, b)
MLP_COMPARISON(>=, kLessEqualGuard, true, b, a)
MLP_COMPARISON(==, kEqualGuard, true, a, b)
MLP_COMPARISON(!=, kEqualGuard, false, a, b)
#undef MLP_COMPARISON

// By comparisons, so that they are guards of compiled programs, too.
template <IsVariable A>
bool isnan(const A& a) {
  return a != a;
}
template <IsVariable A>
bool isinf(const A& a) {
  using Limits = std::numeric_limits<typename A::Number>;
  return a == Limits::infinity() || a == -Limits::infinity();
}
template <IsVariable A>
bool isfinite(const A& a) {
  using Limits = std::numeric_limits<typename A::Number>;
  return a >= Limits::lowest() && a <= Limits::max();
}

// As its number.
template <IsVariable A, class Character>
std::basic_ostream<Character>& operator<<(std::basic_ostream<Character>& out, const A& a) {
  return out << a.value();
}

// A std::vector, std::array or std::span of values.
template <class R>
concept IsValueRange = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    kIsValue<std::ranges::range_value_t<R>>;
template <IsValueRange R>
using NumberIn = typename std::ranges::range_value_t<R>::Number;
template <IsValueRange R>
std::span<const Value<NumberIn<R>>> ValuesOf(const R& range) {
  return {std::ranges::data(range), std::ranges::size(range)};
}

}  // namespace mlp::autograd
