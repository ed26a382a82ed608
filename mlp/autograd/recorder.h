// What recording an op touches: the ends of the tape's arrays.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>

#include "mlp/base/check.h"
#include "mlp/kernels/tape/op_math.h"
#include "mlp/kernels/tape/tape.h"

// With checks a value knows when it was recorded, and using it after the tape was rewound is an
// error that says so. On in debug builds.
#ifndef MLP_AUTOGRAD_CHECKS
#ifdef NDEBUG
#define MLP_AUTOGRAD_CHECKS 0
#else
#define MLP_AUTOGRAD_CHECKS 1
#endif
#endif

namespace mlp::autograd {

using tape::Id;
using tape::Op;
using tape::Run;
using tape::Word;

// The passes for tapes of T; number types of a user's own specialise this with Sweeper (sweep.h).
template <class T>
const tape::Passes<T>& PassesOf() {
  static_assert(tape::kHasPasses<T>,
                "tapes are of float, double, Pack8f, Pack16f, Pack4d or Pack8d; for another number "
                "type specialise PassesOf with Sweeper (mlp/kernels/tape/sweep.h)");
  return tape::PassesFor<T>();
}

template <class T>
struct Recorder {
  using Element = typename tape::PackTraits<T>::Element;
  static constexpr bool kPacked = tape::PackTraits<T>::kWidth > 1;
  // In the word that a sum waits for: it has one term so far. No term's own word has this op.
  static constexpr Op kOneTerm = Op::kLeaf;

  T* values = nullptr;
  Word* words = nullptr;
  Run* runs = nullptr;
  T* adjoints = nullptr;
  Element* uniform_values = nullptr;
  Element* uniform_adjoints = nullptr;
  Id uniform = 0;
  Id size = 0;
  Id capacity = 0;
  Id run_count = 0;
  Id marked = 0;  // the size at the last mark or rewind: records below may outlive the next rewind
  Id swept = 0;   // the ids that the last Backward knew, as far as they are still there

  // The word that would make a map of the last record and the next one.
  uint64_t map_next = Word::kNone;

  uint64_t constant_bits = 0;  // the last plain number that was recorded
  Id constant = 0;

  bool guards = false;
#if MLP_AUTOGRAD_CHECKS
  uint32_t* births = nullptr;
  uint32_t epoch = 0;
  uint64_t thread = 0;  // on which it is among the tapes below
#endif

  // The tapes of this thread by when they became current: `below` is the one that was so before,
  // `none` of the lowest, null while a tape is not among them.
  Recorder* below = nullptr;
  Recorder* above = nullptr;

  // The one of this thread: never null. Without a tape it has no room.
  static Recorder none;
  static thread_local constinit Recorder* current;

  void Activate() {
    if (current == this) return;
    Deactivate();
    below = current;
    if (below != &none) below->above = this;
    current = this;
#if MLP_AUTOGRAD_CHECKS
    thread = ThisThread();
#endif
  }
  // If it is current, the one that was so before becomes it again.
  void Deactivate() {
    if (below == nullptr) return;
#if MLP_AUTOGRAD_CHECKS
    if (thread != ThisThread()) OnAnotherThread();
#endif
    (above != nullptr ? above->below : current) = below;
    if (below != &none) below->above = above;
    below = above = nullptr;
  }

  // That one, if it is still a tape of this thread.
  static const Recorder& Expect(const Recorder* tape) {
    const Recorder* found = current;
    while (found != tape && found != &none) found = found->below;
    if (found == &none) [[unlikely]]
      none.Full();
    return *found;
  }

  [[noreturn, gnu::cold, gnu::noinline]] void Full() const noexcept {
    if (capacity == 0) {
      mlp::internal::CheckFailed(
          __FILE__, __LINE__,
          "no tape on this thread: a value needs an mlp::autograd::Tape of its "
          "number type, constructed before it, on the same thread, and still "
          "there when it is used");
    }
    mlp::internal::CheckFailed(
        __FILE__, __LINE__,
        "the tape is full (" + std::to_string(capacity) +
            " values, parameters among them): rewind it after each sample, or use Checkpoint for "
            "long computations" +
            (capacity < tape::kMaxIds ? ", or give it a greater max_ids (at most 2^28)"
                                      : "; no tape holds more"));
  }

#if MLP_AUTOGRAD_CHECKS
  // The same for no two threads of the program.
  static uint64_t ThisThread() {
    static std::atomic<uint64_t> threads = 0;
    static thread_local const uint64_t own = ++threads;
    return own;
  }
  [[noreturn, gnu::cold, gnu::noinline]] void OnAnotherThread() const {
    mlp::internal::CheckFailed(
        __FILE__, __LINE__,
        "a tape was used or destroyed on another thread than its own: expected thread " +
            std::to_string(thread) +
            " of the program, which constructed it or used it last, "
            "found thread " +
            std::to_string(ThisThread()) +
            "; give each thread a tape of its own, or call Deactivate() on the old thread first");
  }

  [[noreturn, gnu::cold, gnu::noinline]] void UsedTooLate(Id id) const {
    mlp::internal::CheckFailed(
        __FILE__, __LINE__,
        "a value was used after the tape was rewound past it, or on another tape "
        "than its own (id " +
            std::to_string(id) + "): record it again, or rewind to a later mark");
  }
#endif

  tape::ArraysOf<T> arrays() const {
    return {values, adjoints, words, runs, uniform_values, uniform_adjoints, uniform};
  }

  [[gnu::always_inline]] inline T Load(Id id) const {
    if constexpr (kPacked) {
      if (id < uniform) return T(uniform_values[id]);
    }
    return values[id];
  }

  // 0 of what was recorded after the last Backward.
  T Gradient(Id id) const {
    if (capacity == 0) [[unlikely]]
      Full();
    if (id >= swept || words[id].op() == Op::kData) return T(0);
    if constexpr (kPacked) {
      if (id < uniform) return T(uniform_adjoints[id]);
    }
    return adjoints[id];
  }

  [[gnu::always_inline]] inline Id Push(Word word, const T& value) {
    const Id id = size;
    if (id >= capacity) [[unlikely]]
      Full();
    values[id] = value;
    words[id] = word;
#if MLP_AUTOGRAD_CHECKS
    births[id] = epoch;
#endif
    size = id + 1;
    return id;
  }

  // A leaf: what the program has from elsewhere.
  [[gnu::always_inline]] inline Id PushLeaf(const T& value) {
    map_next = Word::kNone;
    return Push(Word::Make(Op::kLeaf, size), value);
  }

  // An op of tape_ops.inc.
  template <Op op, int operands>
  [[gnu::always_inline]] inline Id Record(Id a, Id b, const T& value) {
    constexpr uint64_t kStep =
        Word::kNextA + (operands == 2 && !tape::HasNumber(op) ? Word::kNextB : 0);
    const uint64_t bits = Word::Make(op, a, operands == 2 ? b : 0).bits;
    const Id id = Push({bits}, value);
    if (bits == map_next) ExtendMap(op, operands, a, b, id);
    map_next = bits + kStep;
    return id;
  }

  // Whether the record `id` is there and is `product`, by itself or in a map.
  [[gnu::noinline]] bool Holds(Id id, Word product) const noexcept {
    if (id >= size) return false;
    const Word word = words[id];
    if (word.bits == product.bits) return true;
    if (word.op() != Op::kMap || static_cast<Op>(word.b()) != product.op()) return false;
    const Run& run = runs[word.a()];
    return run.a + (id - run.c) == product.a() && run.b + (id - run.c) == product.b();
  }

  // The op at `id` is that of the record before on the next operands. From three on it is a map: of
  // two a run would take more memory than their words.
  [[gnu::always_inline]] inline void ExtendMap(Op op, int operands, Id a, Id b, Id id) {
    const Id last = operands == 2 ? std::max(a, b) : a;
    const Word before = words[id - 1];
    if (before.op() == Op::kMap) {
      if (last < runs[before.a()].c) words[id] = before;
    } else if (last < id - 2 && IsUnmarked(id - 2) &&
               words[id - 2].bits + (words[id].bits - before.bits) == before.bits) {
      runs[run_count] = {a - 2, operands == 2 ? b - (tape::HasNumber(op) ? 0 : 2) : 0, id - 2, 0};
      words[id - 2] = words[id - 1] = words[id] =
          Word::Make(Op::kMap, run_count, static_cast<Id>(op));
      ++run_count;
    }
  }

  // Begins the run sum + (kMinusDot: -) the product `product`, with the value `value`. Returns its
  // id.
  template <Op op = Op::kDot>
  [[gnu::noinline]] Id StartDot(Id sum, Word product, const T& value) noexcept {
    const Id run = run_count;
    map_next = Word::kNone;
    const Id id = Push(Word::Make(op, run), value);
    runs[run] = {product.a(), product.b(), sum, 1};
    run_count = run + 1;
    return id;
  }

  // sum + b, which may become the run of a sum.
  [[gnu::noinline]] Id StartSum(Id sum, Id b, const T& value) noexcept {
    map_next = Word::kNone;
    return Push(Word::Make(Op::kAdd, sum, b), value);
  }

  // Whether no mark protects the record: a run that it became would be forgotten by a rewind.
  bool IsUnmarked(Id id) const { return id >= marked; }

  // The addition `id` gets a second term: it is a run from now on.
  [[gnu::noinline]] void MakeSumRun(Id id) noexcept {
    const Word word = words[id];
    runs[run_count] = {word.b(), word.b(), word.a(), 1};
    words[id] = Word::Make(Op::kSum, run_count);
    ++run_count;
  }

  // The run `id` ends: `next` is the word of the term that it did not get.
  [[gnu::noinline]] void EndRun(Id id, Word next, const T& value) noexcept {
    if (capacity == 0) [[unlikely]]
      Full();
    if (next.op() == kOneTerm) return;  // A single addition, not a run.
    Run& run = runs[words[id].a()];
    run.n = next.a() - run.a;
    values[id] = value;
  }

  // The value of a sum of packs' products whose next term would be `next`.
  [[gnu::noinline]] void ValueOfDot(Id id, Word next, T& value) const noexcept {
    const Word word = words[id];
    Run run = runs[word.a()];
    run.n = next.a() - run.a;
    PassesOf<T>().value(arrays(), word.op(), run, value);
  }
};

template <class T>
constinit Recorder<T> Recorder<T>::none = {};
template <class T>
thread_local constinit Recorder<T>* Recorder<T>::current = &Recorder<T>::none;

}  // namespace mlp::autograd
