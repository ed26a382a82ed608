// A function that is recorded once and replayed at new inputs, without operators or branches of its
// own: loops over the tape's arrays compute value and gradient. What its comparisons said is part
// of the record; where one says otherwise at new inputs, the function is recorded again. A branch
// on a plain number, got by value(), is not seen: compare values themselves. A replay adds up runs
// by vectors, in another order than the recording did: the two may differ in their last bits.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "mlp/autograd/tape.h"

namespace mlp::autograd {

template <class T, class Function>
class CompiledTape {
 public:
  // f: from std::span<const Value<T>> to Value<T>; it may depend on its inputs alone.
  explicit CompiledTape(Function f, size_t inputs)
      : f_(std::move(f)), inputs_(inputs), empty_(tape_.Mark()) {
    tape_.Deactivate();
  }

  // f(x). x has as many numbers as were announced.
  T Evaluate(std::span<const T> x) {
    internal::ExpectCount(x.size(), inputs_, "CompiledTape: inputs",
                          "give it as many numbers as were announced");
    if (valid_) {
      std::ranges::copy(x, tape_.numbers(leaves_).begin());
      const Id first = leaves_.first() + static_cast<Id>(leaves_.size());
      const Id last = tape_.size();
      if (first == last) return tape_.arrays().values[root_];
      if (PassesOf<T>().replay(tape_.arrays(), first, last - 1) == last) {
        return tape_.arrays().values[root_];
      }
    }
    Record(x);
    return tape_.arrays().values[root_];
  }

  // f(x), and its gradient [inputs], which stays valid until the next call.
  T Differentiate(std::span<const T> x, std::span<const T>& gradient) {
    const T y = Evaluate(x);
    const Current current(tape_);
    tape_.BackwardFrom(root_);
    gradient = {tape_.arrays().adjoints + leaves_.first(), leaves_.size()};
    return y;
  }

  // How often f itself was called: once, and again for each branch that went another way.
  size_t recordings() const { return recordings_; }

 private:
  // For as long as it lives the tape is the current one; however a function ends, the caller's is
  // so again.
  class Current {
   public:
    explicit Current(Tape<T>& tape) : tape_(tape) { tape_.Activate(); }
    ~Current() {
      tape_.recorder().guards = false;
      tape_.Deactivate();
    }

   private:
    Tape<T>& tape_;
  };

  void Record(std::span<const T> x) {
    const Current current(tape_);
    valid_ = false;
    tape_.Rewind(empty_);
    leaves_ = tape_.Inputs(x);
    std::vector<Value<T>> inputs;
    for (size_t i = 0; i < leaves_.size(); ++i) inputs.emplace_back(leaves_[i]);
    tape_.recorder().guards = true;
    root_ = f_(std::span<const Value<T>>(inputs)).id();
    ++recordings_;
    valid_ = true;
  }

  Function f_;
  Tape<T> tape_;
  size_t inputs_;
  TapeMark empty_;
  bool valid_ = false;  // whether a recording is there
  Leaves<T> leaves_;
  Id root_ = 0;
  size_t recordings_ = 0;
};

template <class T, class Function>
CompiledTape<T, Function> Compile(Function f, size_t inputs) {
  return CompiledTape<T, Function>(std::move(f), inputs);
}

}  // namespace mlp::autograd
