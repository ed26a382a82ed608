// Segments of a computation on a tape: calls that keep what they were given and what they returned
// alone, and are recorded again when the sweep comes to them. Members of Tape; see checkpoint.h.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "mlp/autograd/tape.h"

namespace mlp::autograd {

template <class T>
std::vector<Value<T>> Tape<T>::RunSegment(const CallRecord& call, Leaves<T>& leaves) {
  std::vector<T> numbers;
  for (const Id id : call.inputs) numbers.push_back(recorder_.Load(id));
  leaves = Inputs(numbers);
  std::vector<Value<T>> inputs;
  for (size_t i = 0; i < leaves.size(); ++i) inputs.emplace_back(leaves[i]);
  struct Within {
    int& segments;
    ~Within() { --segments; }
  } const within{++segments_};
  return call.segment(inputs);
}

// A segment that does something else each time has no derivatives.
template <class T>
void Tape<T>::ExpectTheSame(const std::vector<Value<T>>& outputs, Id id) {
  internal::Expect(
      outputs.size() == calls_[recorder_.words[id].a()].outputs,
      "Tape::Backward: expected a segment to return as many outputs as when it was recorded, "
      "found another number; it has to do the same each time");
#if MLP_AUTOGRAD_CHECKS
  for (Id k = 0; k < outputs.size(); ++k) {
    const T again = outputs[k].value();
    const T before = recorder_.Load(id + k);
    internal::Expect(
        std::memcmp(&again, &before, sizeof(T)) == 0,
        "Tape::Backward: expected a segment to return the same numbers as when it was recorded, "
        "found others; it has to depend on its inputs and on parameters alone");
  }
#endif
}

template <class T>
std::span<const Id> Tape<T>::CallInputs(Id id) const {
  const Word word = recorder_.words[id];
  // Outputs behind the first are leaves of its block.
  const Word first = word.op() == Op::kLeaf ? recorder_.words[word.a()] : word;
  if (first.op() != Op::kCall) return {};
  return calls_[first.a()].inputs;
}

template <class T>
std::vector<Value<T>> Tape<T>::Call(Segment segment, std::span<const Value<T>> inputs) {
  Activate();
  internal::Expect(
      !recorder_.guards,
      "Tape::Call: expected a program without checkpoints to compile, found one; compile it "
      "without");
  CallRecord call = {std::move(segment), {}, 0};
  for (const Value<T>& input : inputs) call.inputs.push_back(input.id());
  const TapeMark mark = Mark();
  std::vector<T> numbers;
  {
    const Forget forget{*this, mark};
    Leaves<T> leaves;
    for (const Value<T>& output : RunSegment(call, leaves)) numbers.push_back(output.value());
  }
  internal::Expect(
      !numbers.empty(),
      "Tape::Call: expected a segment with at least one output, found none; let it return them");
  call.outputs = static_cast<Id>(numbers.size());
  const Leaves<T> block = Inputs(numbers);
  recorder_.words[block.first()] = Word::Make(Op::kCall, static_cast<Id>(calls_.size()));
  calls_.push_back(std::move(call));
  std::vector<Value<T>> outputs;
  for (size_t i = 0; i < block.size(); ++i) outputs.emplace_back(block[i]);
  return outputs;
}

// Records the segment again at the end of the tape, and sweeps it.
template <class T>
void Tape<T>::SweepCall(Id id) {
  using tape::IsZero;
  const std::span outputs(adjoints_.data() + id, calls_[recorder_.words[id].a()].outputs);
  // The root does not depend on it.
  if (std::ranges::all_of(outputs, [](const T& adjoint) { return IsZero(adjoint); })) return;
  // A copy: nested segments may add to the calls.
  const CallRecord call = calls_[recorder_.words[id].a()];
  const TapeMark mark = Mark();
  const Forget forget{*this, mark};
  Leaves<T> leaves;
  {
    const std::vector<Value<T>> outputs = RunSegment(call, leaves);
    ExpectTheSame(outputs, id);
    std::vector<Id> ids;
    for (const Value<T>& output : outputs) ids.push_back(output.id());
    ZeroAdjoints(mark.size, recorder_.size);
    for (Id k = 0; k < call.outputs; ++k) AddToAdjoint(ids[k], adjoints_.data()[id + k]);
  }
  Sweep(recorder_.size - 1, mark.size);
  for (size_t i = 0; i < leaves.size(); ++i) {
    AddToAdjoint(call.inputs[i], adjoints_.data()[leaves[i].id()]);
  }
}

}  // namespace mlp::autograd
