// The class Value alone: a number, its id, and the run or product that it may stand for. Include
// value.h, which has the operators, the functions and the rules.
#pragma once

#include <concepts>
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
    if (is_product()) {
      const Recorder<T>& recorder = *Recorder<T>::current;
      if (recorder.capacity == 0) [[unlikely]]
        recorder.Full();
      const Word word{word_};
      CheckFactors(word);
      value_ = recorder.Load(word.a()) * recorder.Load(word.b());
    } else if (Word{next_}.op() == Op::kMul || Word{next_}.op() == Op::kSub) {
      const Recorder<T>& recorder = Recorder<T>::Expect(tape_);
      CheckAlive(recorder);
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
    if constexpr (kLazy) tape_ = Recorder<T>::current;
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
    tape_ = other.tape_;
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
  void CheckAlive(const Recorder<T>& recorder = *Recorder<T>::current) const {
    if (is_named() || plain_id() < tape::kFirstId || recorder.capacity == 0) return;
    if (plain_id() >= recorder.size || recorder.births[plain_id()] != birth_) {
      recorder.UsedTooLate(plain_id());
    }
  }
  static void CheckOwn(Id id) {
    if (id != tape::kZero) return;
    mlp::internal::CheckFailed(
        __FILE__, __LINE__,
        "a default value has no gradient of its own, all of them are one 0 on "
        "the tape: give it a number to make it an input");
  }
  uint32_t birth_ = 0;
#else
  void SetBirth() {}
  void SetEpoch() {}
  void CopyBirth(const Value&) {}
  void CheckFactors(Word) const {}
  void CheckAlive(const Recorder<T>& = Recorder<T>::none) const {}
  static void CheckOwn(Id) {}
#endif

  mutable T value_;
  // An id; or a product that is not recorded yet; or, with kOpen, the id of a sum that may grow;
  // or, with kNamed, the id of a product that was recorded when it was used.
  mutable uint64_t word_;
  // The word of the term that the sum's run would take next; or, with kNamed, the product.
  mutable uint64_t next_ = kClosed;
  // Of packs: the tape that a growing sum's number comes from. A product's is the current one: to
  // note it for each term of a sum would cost a sixth of the time that training takes.
  struct None {};
  [[no_unique_address]] std::conditional_t<kLazy, const Recorder<T>*, None> tape_ = {};
};

}  // namespace mlp::autograd
