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

#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>

#include "mlp/autograd/leaf.h"
#include "mlp/autograd/recorder.h"

namespace mlp::autograd {

template <class N, class T>
concept IsOtherNumber = std::is_arithmetic_v<N> && !std::same_as<N, T>;

template <class T>
class [[nodiscard]] Value {
 public:
  using Number = T;

  // The number 0, not on the tape's record: costs nothing.
  [[gnu::always_inline]] Value() : value_(0), word_(tape::kZero) {}
  // An input: a leaf of its own.
  [[gnu::always_inline]] Value(const T& value)  // NOLINT: numbers are values
      : value_(value), word_(Recorder<T>::current->PushLeaf(value)) {
    SetBirth();
  }
  template <IsOtherNumber<T> N>
  Value(N value) : Value(T(value)) {}                // NOLINT: likewise
  [[gnu::always_inline]] Value(const Leaf<T>& leaf)  // NOLINT: likewise
      : value_(leaf.value()), word_(leaf.id()) {
    SetBirth();
  }

  [[gnu::always_inline]] Value(const Value& other) {
    word_ = other.id();
    value_ = other.value_;
    CopyBirth(other);
  }
  [[gnu::always_inline]] Value& operator=(const Value& other) {
    word_ = other.id();
    next_ = kClosed;
    value_ = other.value_;
    CopyBirth(other);
    return *this;
  }
  // A sum that was moved from is 0.
  [[gnu::always_inline]] Value(Value&& other) noexcept { Take(other); }
  [[gnu::always_inline]] Value& operator=(Value&& other) noexcept {
    Take(other);
    return *this;
  }

  const T& value() const {
    if constexpr (kLazy) Compute();
    return value_;
  }
  explicit operator T() const { return value(); }
  // d(root)/d(this) of the last Backward.
  T gradient() const {
    const Id own = id();
    CheckOwn(own);
    return Recorder<T>::current->Gradient(own);
  }

  // Its place on the tape. From here on others may refer to it: a product is recorded, a sum ends.
  [[gnu::always_inline]] Id id() const {
    if (word_ >> Word::kIdBits != 0) [[unlikely]]
      Settle();
    CheckAlive();
    return static_cast<Id>(word_);
  }

  // The ids of two operands, by one test.
  [[gnu::always_inline]] static Word ProductOf(const Value& a, const Value& b) {
    if ((a.word_ | b.word_) >> Word::kIdBits != 0) [[unlikely]] {
      a.Settle();
      b.Settle();
      a.CheckAlive();
      b.CheckAlive();
      return Word::Make(Op::kMul, static_cast<Id>(a.word_), static_cast<Id>(b.word_));
    }
    a.CheckAlive();
    b.CheckAlive();
    // Nothing but ids: they need not be cut to their bits.
    return {Word::Make(Op::kMul, 0).bits + a.word_ + (b.word_ << Word::kIdBits)};
  }

  // A product that nobody else has may become a term of this sum's run.
  [[gnu::always_inline]] Value& operator+=(Value&& b) {
    if (b.word_ == next_) [[likely]] {
      if constexpr (!kLazy) value_ = value_ + b.value_;
      next_ += kNextProduct;
    } else if (b.is_product()) {
      const Word product{b.word_};  // What b is now: it may be this value itself.
      b.CheckFactors(product);
      const Id sum = id();
      if constexpr (!kLazy) value_ = value_ + b.value_;
      SetOpen(Recorder<T>::current->StartDot(sum, product, T(value_)), product.bits + kNextProduct);
    } else {
      const Id term = b.id();
      AddTerm(term, b.value_);
    }
    return *this;
  }
  template <IsOperand<T> B>
  [[gnu::always_inline]] Value& operator+=(const B& b) {
    const Id term = IdOf(*Recorder<T>::current, b);
    AddTerm(term, NumberOf<T>(b));
    return *this;
  }
  [[gnu::always_inline]] Value& operator+=(Value& b) { return *this += std::as_const(b); }
  // Likewise, of a run that subtracts.
  [[gnu::always_inline]] Value& operator-=(Value&& b) {
    if ((b.word_ ^ kMinus) == next_) [[likely]] {
      if constexpr (!kLazy) value_ = value_ - b.value_;
      next_ += kNextProduct;
    } else if (b.is_product()) {
      const Word product{b.word_};
      b.CheckFactors(product);
      const Id sum = id();
      if constexpr (!kLazy) value_ = value_ - b.value_;
      SetOpen(Recorder<T>::current->template StartDot<Op::kMinusDot>(sum, product, T(value_)),
              (product.bits ^ kMinus) + kNextProduct);
    } else {
      *this = *this - b;
    }
    return *this;
  }
  template <IsOperand<T> B>
  Value& operator-=(const B& b) {
    return *this = *this - b;
  }
  template <IsOperand<T> B>
  Value& operator*=(const B& b) {
    return *this = *this * b;
  }
  template <IsOperand<T> B>
  Value& operator/=(const B& b) {
    return *this = *this / b;
  }

  // A number that has been recorded: for ops.
  [[gnu::always_inline]] static Value Recorded(const T& value, Id id) {
    Value result;
    result.value_ = value;
    result.word_ = id;
    result.SetBirth();
    return result;
  }
  // A product that has not.
  [[gnu::always_inline]] static Value Product(const T& value, Word word) {
    Value result;
    result.value_ = value;
    result.word_ = word.bits;
    result.SetEpoch();
    return result;
  }

 private:
  // Products and sums of products of packs are computed when they are asked for, by the passes:
  // these know the CPU's longest vectors, the user's own code does not.
  static constexpr bool kLazy = Recorder<T>::kPacked;
  static constexpr uint64_t kNextProduct = Word::kNextA + Word::kNextB;
  static constexpr uint64_t kOpen = uint64_t{1} << 63;
  static constexpr uint64_t kNamed = uint64_t{1} << 62;
  static constexpr uint64_t kClosed = Word::kNone;
  // From a product's word to the one that a run which subtracts waits for: that of a difference.
  static constexpr uint64_t kMinus = Word::Make(Op::kMul, 0).bits ^ Word::Make(Op::kSub, 0).bits;
  // The two bits above are none of an op's.
  static_assert(static_cast<uint64_t>(Op::kCall) < kNamed >> (2 * Word::kIdBits));

  bool is_product() const { return word_ >> (2 * Word::kIdBits) == static_cast<int>(Op::kMul); }
  bool is_named() const { return (word_ & (kOpen | kNamed)) == kNamed; }

  void Compute() const {
    if (word_ >> Word::kIdBits == 0 || is_named()) return;
    const Recorder<T>& recorder = *Recorder<T>::current;
    if (recorder.capacity == 0) [[unlikely]]
      recorder.Full();
    if (is_product()) {
      const Word word{word_};
      CheckFactors(word);
      value_ = recorder.Load(word.a()) * recorder.Load(word.b());
    } else if (Word{next_}.op() == Op::kMul || Word{next_}.op() == Op::kSub) {
      CheckAlive();
      recorder.ValueOfDot(static_cast<Id>(word_ & Word::kIdMask), Word{next_}, value_);
    }
  }

  // Every argument is passed by value, or as a copy: a sum whose address nobody has stays in
  // registers.
  [[gnu::always_inline]] void Settle() const {
    Recorder<T>& recorder = *Recorder<T>::current;
    if constexpr (kLazy) Compute();
    if (is_named()) {
      // The tape may have been rewound to before it was recorded, though not to before its factors.
      const Word product{next_ & ~kNamed};
      CheckFactors(product);
      if (!recorder.Holds(static_cast<Id>(word_ & Word::kIdMask), product)) RecordProduct(product);
    } else if (next_ != kClosed) {
      word_ &= Word::kIdMask;
      CheckAlive();
      recorder.EndRun(static_cast<Id>(word_), Word{next_}, T(value_));
      next_ = kClosed;
    } else if (is_product()) {
      const Word product{word_};
      CheckFactors(product);
      RecordProduct(product);
    }
  }

  [[gnu::always_inline]] void RecordProduct(Word product) const {
    word_ = kNamed |
            Recorder<T>::current->template Record<Op::kMul, 2>(product.a(), product.b(), T(value_));
    next_ = kNamed | product.bits;
  }

  [[gnu::always_inline]] void SetOpen(Id id, uint64_t next) {
    word_ = kOpen | id;
    next_ = next;
    SetBirth();
  }

  [[gnu::always_inline]] void AddTerm(Id b, const T& number) {
    const uint64_t bits = Word::Make(Op::kSum, b).bits;
    Recorder<T>& recorder = *Recorder<T>::current;
    if (bits == next_) {
      value_ = value_ + number;
      ++next_;
    } else if (Word::Make(Recorder<T>::kOneTerm, b).bits == next_ &&
               recorder.IsUnmarked(static_cast<Id>(word_ & Word::kIdMask))) {
      recorder.MakeSumRun(static_cast<Id>(word_ & Word::kIdMask));
      value_ = value_ + number;
      next_ = bits + 1;
    } else {
      const Id sum = id();
      value_ = value_ + number;
      SetOpen(recorder.StartSum(sum, b, T(value_)), Word::Make(Recorder<T>::kOneTerm, b + 1).bits);
    }
  }

  [[gnu::always_inline]] void Take(Value& other) {
    if (other.is_product() || other.is_named()) {
      *this = std::as_const(other);
      return;
    }
    value_ = other.value_;
    word_ = other.word_;
    next_ = other.next_;
    CopyBirth(other);
    if (next_ != kClosed && &other != this) {
      other.value_ = T(0);
      other.word_ = tape::kZero;
      other.next_ = kClosed;
    }
  }

#if MLP_AUTOGRAD_CHECKS
  Id plain_id() const { return static_cast<Id>(word_ & Word::kIdMask); }
  void SetBirth() {
    const Recorder<T>& recorder = *Recorder<T>::current;
    birth_ = recorder.births == nullptr ? 0 : recorder.births[plain_id()];
  }
  void SetEpoch() { birth_ = Recorder<T>::current->epoch; }
  // A product's is that of its factors, a copy of it is a record.
  void CopyBirth(const Value& other) {
    if (other.is_named()) {
      SetBirth();
    } else {
      birth_ = other.birth_;
    }
  }
  // Of a product: they were there when it was formed.
  void CheckFactors(Word product) const {
    const Recorder<T>& recorder = *Recorder<T>::current;
    if (recorder.capacity == 0) return;
    for (const Id factor : {product.a(), product.b()}) {
      if (factor < tape::kFirstId) continue;
      if (factor >= recorder.size || recorder.births[factor] > birth_) {
        recorder.UsedTooLate(factor);
      }
    }
  }
  void CheckAlive() const {
    const Recorder<T>& recorder = *Recorder<T>::current;
    if (is_named() || plain_id() < tape::kFirstId || recorder.capacity == 0) return;
    if (plain_id() >= recorder.size || recorder.births[plain_id()] != birth_) {
      recorder.UsedTooLate(plain_id());
    }
  }
  static void CheckOwn(Id id) {
    if (id != tape::kZero) return;
    internal::CheckFailed(__FILE__, __LINE__,
                          "a default value has no gradient of its own, all of them are one 0 on "
                          "the tape: give it a number to make it an input");
  }
  uint32_t birth_ = 0;
#else
  void SetBirth() {}
  void SetEpoch() {}
  void CopyBirth(const Value&) {}
  void CheckFactors(Word) const {}
  void CheckAlive() const {}
  static void CheckOwn(Id) {}
#endif

  mutable T value_;
  // An id; or a product that is not recorded yet; or, with kOpen, the id of a sum that may grow;
  // or, with kNamed, the id of a product that was recorded when it was used.
  mutable uint64_t word_;
  // The word of the term that the sum's run would take next; or, with kNamed, the product.
  mutable uint64_t next_ = kClosed;
};

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
template <class T>
Value<T> keep(const Value<T>& a, const std::type_identity_t<T>& mask) {
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
#undef MLP_UNARY_FUNCTION

template <IsVariable A>
Value<typename A::Number> operator+(const A& a) {
  return a;
}

// What nobody else has grows: so the sums of std::inner_product and std::accumulate are runs, too.
template <class T>
[[gnu::always_inline]] inline Value<T> operator+(Value<T>&& a, Value<T>&& b) {
  Value<T> sum = std::move(a);
  sum += std::move(b);
  return sum;
}
template <class T>
[[gnu::always_inline]] inline Value<T> operator+(Value<T>&& a, const Value<T>& b) {
  Value<T> sum = std::move(a);
  sum += b;
  return sum;
}

// Comparisons read the numbers. While a program is compiled (see compiled.h), what they say is
// recorded: a replay must come to the same.
template <class T>
bool Compare(Op op, bool outcome, Recorder<T>& recorder, Id a, Id b) {
  recorder.map_next = Word::kNone;
  recorder.Push(Word::Make(op, a, b), outcome ? T(1) : T(0));
  return outcome;
}
#define MLP_COMPARISON(op, guard, holds, left, right)                                              \
  template <class A, IsOperandBeside<A> B>                                                         \
  [[gnu::always_inline]] inline bool operator op(const A& a, const B& b) {                         \
    using T = CommonNumber<A, B>;                                                                  \
    Recorder<T>& recorder = *Recorder<T>::current;                                                 \
    const bool outcome = NumberOf<T>(a) op NumberOf<T>(b);                                         \
    if (recorder.guards) [[unlikely]] {                                                            \
      Compare(Op::guard, outcome == holds, recorder, IdOf(recorder, left), IdOf(recorder, right)); \
    }                                                                                              \
    return outcome;                                                                                \
  }
MLP_COMPARISON(<, kGuard, true, a, b)
MLP_COMPARISON(>, kGuard, true, b, a)
MLP_COMPARISON(<=, kLessEqualGuard, true, a, b)
MLP_COMPARISON(>=, kLessEqualGuard, true, b, a)
MLP_COMPARISON(==, kEqualGuard, true, a, b)
MLP_COMPARISON(!=, kEqualGuard, false, a, b)
#undef MLP_COMPARISON

// By comparisons, so that they are guards of compiled programs, too.
template <class T>
bool isnan(const Value<T>& a) {
  return a != a;
}
template <class T>
bool isinf(const Value<T>& a) {
  return a == std::numeric_limits<T>::infinity() || a == -std::numeric_limits<T>::infinity();
}
template <class T>
bool isfinite(const Value<T>& a) {
  return a >= std::numeric_limits<T>::lowest() && a <= std::numeric_limits<T>::max();
}

}  // namespace mlp::autograd
