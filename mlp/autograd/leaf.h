// Inputs and parameters by their place on the tape: consecutive ids, whose numbers lie in one array
// that an optimizer or the next sample may change between recordings.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>
#include <span>
#include <type_traits>

#include "mlp/autograd/expect.h"
#include "mlp/autograd/recorder.h"

namespace mlp::autograd {

template <class T>
class Value;

// Where leaves come from, for the checks of debug builds: their tape, and when.
template <class T>
class Origin {
 public:
#if MLP_AUTOGRAD_CHECKS
  void Check(Id id) const {
    const Recorder<T>& recorder = *Recorder<T>::current;
    if (recorder.capacity == 0) recorder.Full();
    if (&recorder != recorder_ || id >= recorder.size || recorder.births[id] > epoch_) {
      recorder.UsedTooLate(id);
    }
  }

 private:
  const Recorder<T>* recorder_ = Recorder<T>::current;
  uint32_t epoch_ = recorder_->epoch;
#else
  void Check(Id) const {}
#endif
};

// One of them. Its number is read from the tape each time it is used.
template <class T>
class Leaf {
 public:
  using Number = T;

  explicit Leaf(Id id, const Origin<T>& origin = {}) : id_(id), origin_(origin) {}
  // A plain number, recorded: so that `c ? leaf : 1.0` is a leaf.
  template <tape::Arithmetic N>
  requires(!std::same_as<N, Id>) Leaf(N number)  // NOLINT: numbers are leaves
      : id_(Recorder<T>::current->PushLeaf(T(number))) {}
  Leaf(const Leaf&) = default;
  // Another place, not another number: see Tape::parameters() and numbers() for these.
  Leaf& operator=(const Leaf&) & = default;

  Id id() const {
    origin_.Check(id_);
    return id_;
  }
  T value() const {
    origin_.Check(id_);
    return Recorder<T>::current->Load(id_);
  }
  // d(root)/d(this): of a parameter the sum since it was 0, else of the last Backward.
  T gradient() const {
    origin_.Check(id_);
    return Recorder<T>::current->Gradient(id_);
  }

 private:
  Id id_;
  [[no_unique_address]] Origin<T> origin_;
};

// n of them.
template <class T>
class Leaves {
 public:
  Leaves() = default;
  Leaves(Id first, size_t n) : first_(first), size_(n) {}

  size_t size() const { return size_; }
  Id first() const { return first_; }
  Leaf<T> operator[](size_t i) const {
#if MLP_AUTOGRAD_CHECKS
    internal::ExpectBelow(i, size_, "leaves: index", "take one of those that are there");
#endif
    return Leaf<T>(first_ + static_cast<Id>(i), origin_);
  }
  // n from `begin` on; what comes next on the tape may be among them.
  Leaves Part(size_t begin, size_t n) const {
    Leaves part = *this;
    part.first_ += static_cast<Id>(begin);
    part.size_ = n;
    return part;
  }

 private:
  Id first_ = 0;
  size_t size_ = 0;
  [[no_unique_address]] Origin<T> origin_;
};

template <class A>
inline constexpr bool kIsVariable = false;
template <class T>
inline constexpr bool kIsVariable<Value<T>> = true;
template <class A>
inline constexpr bool kIsValue = false;
template <class T>
inline constexpr bool kIsValue<Value<T>> = true;
template <class T>
inline constexpr bool kIsVariable<Leaf<T>> = true;

// What is on a tape, and what may stand beside it where its number type is T.
template <class A>
concept IsVariable = kIsVariable<A>;
template <class N, class T>
concept IsNumber = std::is_arithmetic_v<N> || std::same_as<N, T>;
template <class A, class T>
concept IsOperand = IsNumber<A, T> || std::same_as<A, Value<T>> || std::same_as<A, Leaf<T>>;

// The number type of an op's result: at least one operand is a variable.
template <class A, class B>
struct CommonNumberOf {};
template <IsVariable A, IsOperand<typename A::Number> B>
struct CommonNumberOf<A, B> {
  using type = typename A::Number;
};
template <IsVariable B, IsNumber<typename B::Number> A>
struct CommonNumberOf<A, B> {
  using type = typename B::Number;
};
template <class A, class B>
using CommonNumber = typename CommonNumberOf<A, B>::type;
template <class B, class A>
concept IsOperandBeside = requires {
  typename CommonNumberOf<A, B>::type;
};

template <class T, IsNumber<T> N>
[[gnu::always_inline]] inline T NumberOf(const N& number) {
  return T(number);
}
template <class T>
[[gnu::always_inline]] inline T NumberOf(const Leaf<T>& leaf) {
  return leaf.value();
}
template <class T>
[[gnu::always_inline]] inline T NumberOf(const Value<T>& value);

template <class T>
[[gnu::always_inline]] inline Id IdOf(Recorder<T>&, const Leaf<T>& leaf) {
  return leaf.id();
}
template <class T>
[[gnu::always_inline]] inline Id IdOf(Recorder<T>&, const Value<T>& value);
// A plain number is a leaf, too. The last one is kept: loops tend to use one.
template <class T, IsNumber<T> N>
[[gnu::always_inline]] inline Id IdOf(Recorder<T>& recorder, const N& number) {
  if constexpr (std::is_arithmetic_v<N>) {
    const auto bits = std::bit_cast<uint64_t>(static_cast<double>(number));
    if (bits == recorder.constant_bits && recorder.constant != 0) return recorder.constant;
    recorder.constant_bits = bits;
    return recorder.constant = recorder.PushLeaf(T(number));
  } else {
    return recorder.PushLeaf(number);
  }
}

}  // namespace mlp::autograd
