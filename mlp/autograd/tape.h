// The tape that values are recorded on, and what is asked of it: derivatives, marks and rewinding,
// parameters.
//
//   Tape<float> tape;
//   const Leaves<float> weights = tape.Parameters(initial);   // first
//   const auto mark = tape.Mark();
//   for (each sample) {
//     tape.Rewind(mark);
//     tape.Backward(Loss(...));                  // adds to tape.gradients()
//   }
//
// A tape belongs to the thread that constructed it. The current tape of a thread for a number type,
// which values are recorded on, is the one constructed last, or told last to make a mark or a
// block, to rewind or to go backward; when it is gone, the one that was so before. Nothing here
// recurses, and nothing is allocated after construction, but for segments (see checkpoint.h):
// memory is touched as the tape grows, and used again after a Rewind.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "mlp/autograd/expect.h"
#include "mlp/autograd/recorder.h"
#include "mlp/autograd/reserve.h"
#include "mlp/autograd/value.h"

namespace mlp::autograd {

// With room for less a tape is of no use.
inline constexpr Id kFewestIds = Id{1} << 16;

struct TapeOptions {
  Id max_ids = tape::kMaxIds;  // values and leaves at a time
};

// Where a tape can be rewound to.
struct TapeMark {
  Id size = 0;
  Id runs = 0;
  size_t calls = 0;
#if MLP_AUTOGRAD_CHECKS
  uint32_t epoch = 0;
  const void* tape = nullptr;
#endif
};

template <class T>
class Tape {
 public:
  using Element = typename tape::PackTraits<T>::Element;

  explicit Tape(const TapeOptions& options = {});
  ~Tape() { Deactivate(); }
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // Parameters, before anything else is recorded; further calls continue the block. Where T is a
  // pack, a parameter is the same in all samples.
  Leaves<T> Parameters(std::span<const Element> initial);
  // All of them, flat, for optimizers. Backward adds to the gradients. Ops read numbers again when
  // derivatives are formed: those of parameters and inputs change between a Backward and the next
  // recording.
  std::span<Element> parameters() { return {ParameterValues(), parameter_count_}; }
  std::span<const Element> gradients() const { return {ParameterAdjoints(), parameter_count_}; }
  std::span<Element> mutable_gradients() { return {ParameterAdjoints(), parameter_count_}; }
  void ZeroGradients() { std::fill_n(ParameterAdjoints(), parameter_count_, Element(0)); }

  // Inputs as one block. Those of Data have no gradients, which saves their part of the sweep.
  Leaves<T> Inputs(std::span<const T> numbers) { return Block(Op::kLeaf, numbers); }
  Leaves<T> Data(std::span<const T> numbers) { return Block(Op::kData, numbers); }
  // Their numbers, to be changed before anything is recorded that reads them. Those of parameters
  // are in parameters().
  std::span<T> numbers(Leaves<T> leaves) {
    internal::Expect(
        leaves.size() == 0 || leaves.first() >= parameters_end(),
        "Tape::numbers: expected leaves of Inputs or Data, found parameters; theirs are in "
        "parameters()");
    return {values_.data() + leaves.first(), leaves.size()};
  }

  // Derivatives of `root` with respect to everything it was computed from. Gradients of parameters
  // are added to, all others are overwritten.
  // Not within a checkpoint's segment.
  void Backward(const Value<T>& root, const T& seed = T(1)) {
    Activate();
    BackwardFrom(root.id(), seed);
  }
  void BackwardFrom(Id root, const T& seed = T(1));
  // Of the last Backward; 0 of what was recorded since.
  T gradient(Id id) const { return recorder_.Gradient(id); }

  TapeMark Mark();
  // Forgets what was recorded since: values from after the mark, and sums that have grown since,
  // must not be used any more.
  void Rewind(const TapeMark& mark);

  // A segment that keeps its ends alone: see checkpoint.h, and tape_segments.h for how.
  using Segment = std::function<std::vector<Value<T>>(std::span<const Value<T>>)>;
  std::vector<Value<T>> Call(Segment segment, std::span<const Value<T>> inputs);

  // What the checkpoint's call that id is an output of was given; nothing for other ids.
  std::span<const Id> CallInputs(Id id) const;

  // Ids in use, leaves included, and how many records there are: a run counts once.
  Id size() const { return recorder_.size; }
  size_t records() const;
  // What the values since the mark take.
  size_t bytes_since(const TapeMark& mark) const {
    return (recorder_.size - mark.size) * (2 * sizeof(T) + sizeof(Word)) +
           (recorder_.run_count - mark.runs) * sizeof(Run);
  }

  // Makes it the current one, or the one that was so before.
  void Activate() { recorder_.Activate(); }
  void Deactivate() { recorder_.Deactivate(); }

  // The memory itself, for the passes and for who wants to look at it.
  tape::ArraysOf<T> arrays() const { return recorder_.arrays(); }
  Recorder<T>& recorder() { return recorder_; }
  Id parameters_end() const { return tape::kFirstId + static_cast<Id>(parameter_count_); }

 private:
  [[noreturn, gnu::cold]] void ParametersTooLate() const;
  [[noreturn, gnu::cold]] static void NoRoom();

  struct CallRecord {
    Segment segment;
    std::vector<Id> inputs;
    Id outputs;
  };
  // Rewinds at the end of a scope, also where a segment throws.
  struct Forget {
    Tape& tape;
    const TapeMark& mark;
    ~Forget() { tape.Rewind(mark); }
  };
  std::vector<Value<T>> RunSegment(const CallRecord& call, Leaves<T>& leaves);
  void ExpectTheSame(const std::vector<Value<T>>& outputs, Id id);
  void ZeroAdjoints(Id from, Id to);
  void Sweep(Id from, Id to);
  void SweepCall(Id id);
  void AddToAdjoint(Id id, const T& adjoint);

  Leaves<T> Block(Op op, std::span<const T> numbers);
  Element* ParameterValues() const;
  Element* ParameterAdjoints() const;
  bool TryReserve(Id ids);
  void AlignSize();

  Reserve<T> values_;
  Reserve<T> adjoints_;
  Reserve<Word> words_;
  Reserve<Run> runs_;
  Reserve<Element> uniform_values_;
  Reserve<Element> uniform_adjoints_;
  std::vector<CallRecord> calls_;
  int segments_ = 0;  // that run, one within the other
  size_t parameter_count_ = 0;
#if MLP_AUTOGRAD_CHECKS
  Reserve<uint32_t> births_;
#endif
  Recorder<T> recorder_;
};

// W samples of S at once: PackTape<float, 16> is Tape<tape::Pack16f>. One sample is no pack.
template <class S, int W>
struct PackOf {
  static_assert(tape::kHasPasses<tape::Pack<S, W>>,
                "tapes take 1, 8 or 16 samples of float, or 1, 4 or 8 samples of double, at once");
  using type = tape::Pack<S, W>;
};
template <class S>
struct PackOf<S, 1> {
  using type = S;
};
template <class S, int W>
using PackTape = Tape<typename PackOf<S, W>::type>;
template <class S, int W>
using PackValue = Value<typename PackOf<S, W>::type>;

#if MLP_AUTOGRAD_CHECKS
// What tells one recording from another, on all tapes.
inline uint32_t NextEpoch() {
  static std::atomic<uint32_t> epoch = 0;
  return ++epoch;
}
#endif

template <class T>
bool Tape<T>::TryReserve(Id ids) {
  constexpr bool kPacked = Recorder<T>::kPacked;
  values_ = Reserve<T>(ids, 0);
  adjoints_ = Reserve<T>(ids, 1);
  words_ = Reserve<Word>(ids, 2);
  runs_ = Reserve<Run>(ids, 3);
  uniform_values_ = Reserve<Element>(kPacked ? ids : 0, 4);
  uniform_adjoints_ = Reserve<Element>(kPacked ? ids : 0, 5);
  bool done = values_.data() && adjoints_.data() && words_.data() && runs_.data() &&
              (!kPacked || (uniform_values_.data() && uniform_adjoints_.data()));
#if MLP_AUTOGRAD_CHECKS
  births_ = Reserve<uint32_t>(ids, 6);
  done = done && births_.data();
#endif
  return done;
}

template <class T>
void Tape<T>::ParametersTooLate() const {
  internal::Refuse(
      "Tape::Parameters: expected a tape with nothing but parameters on it, found " +
      std::to_string(recorder_.size - parameters_end()) +
      " values or inputs behind them; make all parameters (and nets) before the first value");
}

template <class T>
void Tape<T>::NoRoom() {
  const std::string reason = std::generic_category().message(errno);
  internal::Refuse("a tape: expected address space for at least " + std::to_string(kFewestIds) +
                   " values, found that the system refuses it (" + reason +
                   "); use one tape again by Rewind instead of many at once, or raise ulimit -v or "
                   "vm.max_map_count, of which a tape takes several");
}

template <class T>
Tape<T>::Tape(const TapeOptions& options) {
  if (options.max_ids <= tape::kFirstId || options.max_ids > tape::kMaxIds) {
    internal::Refuse("Tape::max_ids: expected a number from 17 to 2^28, found " +
                     std::to_string(options.max_ids) + "; leave it out for 2^28");
  }
  Id ids = options.max_ids;
  // Address space may be limited (ulimit -v): less is asked for then.
  while (!TryReserve(ids)) {
    if (ids <= kFewestIds) NoRoom();
    ids = std::max(ids / 2, kFewestIds);
  }
  recorder_.values = values_.data();
  recorder_.words = words_.data();
  recorder_.runs = runs_.data();
  recorder_.adjoints = adjoints_.data();
  recorder_.uniform_adjoints = uniform_adjoints_.data();
  recorder_.uniform_values = uniform_values_.data();
  recorder_.capacity = ids;
#if MLP_AUTOGRAD_CHECKS
  recorder_.births = births_.data();
  recorder_.epoch = NextEpoch();
#endif
  recorder_.PushLeaf(T(0));
  recorder_.PushLeaf(T(1));
  recorder_.PushLeaf(T(-1));
  AlignSize();
  Activate();
}

template <class T>
typename Tape<T>::Element* Tape<T>::ParameterValues() const {
  if constexpr (Recorder<T>::kPacked) {
    return uniform_values_.data() + tape::kFirstId;
  } else {
    return values_.data() + tape::kFirstId;
  }
}

template <class T>
typename Tape<T>::Element* Tape<T>::ParameterAdjoints() const {
  if constexpr (Recorder<T>::kPacked) {
    return uniform_adjoints_.data() + tape::kFirstId;
  } else {
    return adjoints_.data() + tape::kFirstId;
  }
}

template <class T>
Leaves<T> Tape<T>::Parameters(std::span<const Element> initial) {
  Activate();
  if (recorder_.size != parameters_end()) ParametersTooLate();
  if (initial.size() > recorder_.capacity - recorder_.size) recorder_.Full();
  const Id first = recorder_.size;
  parameter_count_ += initial.size();
  recorder_.size = parameters_end();
  recorder_.swept = std::max(recorder_.swept, recorder_.size);
  for (Id id = first; id < recorder_.size; ++id) {
    recorder_.words[id] = Word::Make(Op::kLeaf, tape::kFirstId);
#if MLP_AUTOGRAD_CHECKS
    births_.data()[id] = recorder_.epoch;
#endif
  }
  if constexpr (Recorder<T>::kPacked) {
    // The constants are read from both arrays.
    uniform_values_.data()[tape::kOne] = 1;
    uniform_values_.data()[tape::kMinusOne] = -1;
    recorder_.uniform = recorder_.size;
  }
  std::ranges::copy(initial, ParameterValues() + (first - tape::kFirstId));
  return {first, initial.size()};
}

template <class T>
void Tape<T>::AlignSize() {
  while (recorder_.size % tape::kLineIds != 0) recorder_.PushLeaf(T(0));
}

template <class T>
Leaves<T> Tape<T>::Block(Op op, std::span<const T> numbers) {
  Activate();
  AlignSize();
  if (numbers.size() > recorder_.capacity - recorder_.size) recorder_.Full();
  const Id first = recorder_.size;
  const auto end = first + static_cast<Id>(numbers.size());
  std::ranges::copy(numbers, values_.data() + first);
  std::fill(words_.data() + first, words_.data() + end, Word::Make(op, first));
#if MLP_AUTOGRAD_CHECKS
  std::fill(births_.data() + first, births_.data() + end, recorder_.epoch);
#endif
  recorder_.size = end;
  recorder_.map_next = Word::kNone;
  return {first, numbers.size()};
}

template <class T>
void Tape<T>::BackwardFrom(Id id, const T& seed) {
  Activate();
  internal::ExpectBelow(id, recorder_.size, "Tape::BackwardFrom: id",
                        "give it one of a value on this tape");
  internal::Expect(
      segments_ == 0,
      "Tape::Backward: expected no segment of a checkpoint at work, found a call from within "
      "one; differentiate what the segment returned, when it has");
  const Id bottom = parameters_end();
  ZeroAdjoints(0, tape::kFirstId);
  ZeroAdjoints(bottom, recorder_.size);
  if constexpr (Recorder<T>::kPacked) {
    if (bottom > tape::kFirstId) {
      std::fill_n(uniform_adjoints_.data(), tape::kFirstId, Element(0));
    }
  }
  recorder_.swept = recorder_.size;
  if (id < bottom) {  // A parameter itself, or a number that depends on nothing.
    if (id >= tape::kFirstId) AddToAdjoint(id, seed);
    return;
  }
  adjoints_.data()[id] = seed;
  Sweep(id, bottom);
}

// In blocks: a memset of many megabytes would go past the caches, where the sweep comes next.
template <class T>
void Tape<T>::ZeroAdjoints(Id from, Id to) {
  constexpr Id kBlock = (size_t{1} << 16) / sizeof(T);
  for (Id begin = from; begin < to; begin += std::min(kBlock, to - begin)) {
    std::fill_n(adjoints_.data() + begin, std::min(kBlock, to - begin), T(0));
  }
}

template <class T>
void Tape<T>::Sweep(Id from, Id to) {
  const tape::ArraysOf<T> all = arrays();
  for (int64_t id = from; id >= static_cast<int64_t>(to);) {
    id = PassesOf<T>().sweep(all, static_cast<Id>(id), to);
    if (id < static_cast<int64_t>(to)) return;
    SweepCall(static_cast<Id>(id));
    --id;
  }
}

template <class T>
void Tape<T>::AddToAdjoint(Id id, const T& adjoint) {
  if constexpr (Recorder<T>::kPacked) {
    if (id < recorder_.uniform) {
      uniform_adjoints_.data()[id] += Sum(adjoint);
      return;
    }
  }
  adjoints_.data()[id] = adjoints_.data()[id] + adjoint;
}

template <class T>
TapeMark Tape<T>::Mark() {
  Activate();
  recorder_.map_next = Word::kNone;
  recorder_.marked = recorder_.size;
  TapeMark mark{recorder_.size, recorder_.run_count, calls_.size()};
#if MLP_AUTOGRAD_CHECKS
  mark.epoch = recorder_.epoch;
  mark.tape = this;
#endif
  return mark;
}

template <class T>
void Tape<T>::Rewind(const TapeMark& mark) {
  Activate();
#if MLP_AUTOGRAD_CHECKS
  internal::Expect(
      mark.tape == this,
      "Tape::Rewind: expected a mark that this tape's Mark() made, found one of another tape or "
      "of none; rewind each tape to marks of its own");
#endif
  internal::Expect(
      mark.size >= parameters_end(),
      "Tape::Rewind: expected a mark from after the last parameters, found an earlier one; make "
      "the mark when all parameters are there");
  bool there = mark.size <= recorder_.size && mark.runs <= recorder_.run_count &&
               mark.calls <= calls_.size();
#if MLP_AUTOGRAD_CHECKS
  there = there && recorder_.births[mark.size - 1] <= mark.epoch;
#endif
  internal::Expect(
      there,
      "Tape::Rewind: expected a mark that the tape was not rewound past, found one whose values "
      "are gone; make a new mark after each rewind to an earlier one");
  recorder_.size = mark.size;
  recorder_.run_count = mark.runs;
  calls_.resize(mark.calls);
  recorder_.map_next = Word::kNone;
  recorder_.marked = mark.size;
  recorder_.swept = std::min(recorder_.swept, mark.size);
  if (recorder_.constant >= mark.size) recorder_.constant = 0;
#if MLP_AUTOGRAD_CHECKS
  recorder_.epoch = NextEpoch();
#endif
}

template <class T>
size_t Tape<T>::records() const {
  size_t records = 0;
  for (Id id = parameters_end(); id < recorder_.size; ++id) {
    const Word word = recorder_.words[id];
    if (word.op() == Op::kLeaf || word.op() == Op::kData) continue;
    records += word.op() != Op::kMap || recorder_.runs[word.a()].c == id;
  }
  return records;
}

}  // namespace mlp::autograd

#include "mlp/autograd/tape_segments.h"  // IWYU pragma: keep
