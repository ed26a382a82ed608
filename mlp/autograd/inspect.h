// Looking at a tape: its ops in words, where a NaN or an infinity came from, and its graph.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "mlp/autograd/tape.h"
#include "mlp/kernels/tape/sweep.h"

namespace mlp::autograd {

// Whether the op is a run of products.
constexpr bool IsDot(Op op) { return op == Op::kDot || op == Op::kMinusDot; }

// What an id was computed from, runs taken apart: an op and its operands, in the order of the
// formula. A run of products has c, a[0], b[0], a[1], ...
struct OpOf {
  Op op;
  std::vector<Id> operands;
};
template <class T>
OpOf Explain(Tape<T>& tape, Id id) {
  internal::ExpectBelow(id, tape.size(), "an id", "give it one of a value on this tape");
  const tape::ArraysOf<T> all = tape.arrays();
  const Word word = all.words[id];
  if (const std::span<const Id> inputs = tape.CallInputs(id); !inputs.empty()) {
    return {Op::kCall, {inputs.begin(), inputs.end()}};
  }
  OpOf result{word.op(), {}};
  std::vector<Id>& operands = result.operands;
  if (const int n = tape::Operands(word.op()); n > 0) {
    operands.push_back(word.a());
    if (n > 1) operands.push_back(word.b());
  } else if (IsDot(word.op()) || word.op() == Op::kSum) {
    const Run run = all.runs[word.a()];
    operands.push_back(run.c);
    for (Id k = 0; k < run.n; ++k) {
      if (IsDot(word.op())) operands.push_back(run.a + k);
      operands.push_back(run.b + k);
    }
  } else if (word.op() == Op::kMap) {
    const Run run = all.runs[word.a()];
    result.op = static_cast<Op>(word.b());
    operands.push_back(run.a + (id - run.c));
    if (tape::HasNumber(result.op)) {
      operands.push_back(run.b);
    } else if (tape::Operands(result.op) > 1) {
      operands.push_back(run.b + (id - run.c));
    }
  }
  return result;
}

// What the op at `id` adds to the adjoint of each operand: its own adjoint, times the partial
// derivative. In the order of `explained`, which is Explain's, without plain numbers; nothing for a
// checkpoint's call, whose derivatives are not on the tape.
template <class T>
std::vector<T> Contributions(Tape<T>& tape, Id id, const OpOf& explained) {
  using tape::Chain;
  const T q = tape.gradient(id);
  const T y = tape.recorder().Load(id);
  const auto at = [&](size_t k) { return tape.recorder().Load(explained.operands[k]); };
  std::vector<T> result;
  const auto add = [&](const T& slope) { result.push_back(Chain(q, slope)); };
  [[maybe_unused]] const auto binary = [&]<class Functor>(Functor) {
    add(Functor::SlopeA(at(0), at(1), y));
    if constexpr (!tape::kHasNumber<Functor>) add(Functor::SlopeB(at(0), at(1), y));
  };
  switch (explained.op) {
#define MLP_BINARY(functor, name) \
  case Op::k##functor:            \
    binary(tape::functor());      \
    break;
#define MLP_UNARY(functor, name)         \
  case Op::k##functor:                   \
    add(tape::functor::Slope(at(0), y)); \
    break;
#include "mlp/kernels/tape/tape_ops.inc"
    case Op::kDot:
    case Op::kMinusDot:
      add(T(1));
      // To each factor the other one.
      for (size_t k = 1; k < explained.operands.size(); k += 2) {
        for (const size_t other : {k + 1, k}) {
          add(explained.op == Op::kDot ? at(other) : -at(other));
        }
      }
      break;
    case Op::kSum:
      for (size_t k = 0; k < explained.operands.size(); ++k) add(T(1));
      break;
    default:
      break;
  }
  return result;
}

namespace internal {

// A number in words; of a pack all samples', of a dual the direction, too.
template <class T>
std::string Text(const T& number) {
  if constexpr (std::is_arithmetic_v<T>) {
    return absl::StrCat(number);
  } else if constexpr (tape::PackTraits<T>::kWidth > 1) {
    std::vector<typename tape::PackTraits<T>::Element> samples;
    for (size_t i = 0; i < tape::PackTraits<T>::kWidth; ++i) samples.push_back(number[i]);
    return absl::StrCat("[", absl::StrJoin(samples, ", "), "]");
  } else {
    return absl::StrCat(number.value, " (direction ", number.direction, ")");
  }
}

// As it stands between quotes in Graphviz's language.
inline std::string Quoted(const std::string& name) {
  return absl::StrReplaceAll(name, {{"\\", "\\\\"}, {"\"", "\\\""}});
}

}  // namespace internal

// Names for ids, in messages and graphs.
using Names = std::map<Id, std::string>;

inline std::string NameOf(Id id, const Names& names) {
  const auto it = names.find(id);
  return it == names.end() ? absl::StrCat("id ", id) : it->second;
}

// "log of id 7 = -1".
template <class T>
std::string Describe(Tape<T>& tape, Id id, const Names& names = {}) {
  constexpr size_t kMostOperands = 6;
  const auto equation = [&](Id of) {
    return absl::StrCat(NameOf(of, names), " = ", internal::Text(tape.recorder().Load(of)));
  };
  const OpOf explained = Explain(tape, id);
  std::string text = absl::StrCat(equation(id), ", ", tape::Name(explained.op));
  if (explained.operands.empty()) return text;
  absl::StrAppend(&text, " of ");
  for (size_t i = 0; i < explained.operands.size(); ++i) {
    if (i == kMostOperands) {
      absl::StrAppend(&text, ", ... (", explained.operands.size(), " operands)");
      break;
    }
    absl::StrAppend(&text, i == 0 ? "" : ", ", equation(explained.operands[i]));
  }
  return text;
}

// Where numbers stopped being finite.
struct NonFinite {
  Id id = 0;            // the value whose op did it
  Op op = Op::kLeaf;    // which
  std::string message;  // names the op, its operands and their numbers
};

// The first value that is NaN or infinite (of a pack: of any sample) though its operands are not;
// an input that is counts, too. Null if all are finite. Costs nothing while recording: the tape is
// searched afterwards. A sum that may still grow has no number there yet: ask for its id() before.
template <class T>
std::optional<NonFinite> FindNonFinite(Tape<T>& tape, const Names& names = {}) {
  using tape::IsFinite;
  for (Id id = tape::kFirstId; id < tape.size(); ++id) {
    if (IsFinite(tape.recorder().Load(id))) continue;
    // Operands have smaller ids: all of them are finite.
    return NonFinite{id, Explain(tape, id).op, Describe(tape, id, names)};
  }
  return std::nullopt;
}

// After Backward: the op nearest to the root that adds what is not finite to an operand's adjoint
// though its own is finite. Where no op does, the first adjoint that is not finite: a sum of
// contributions that overflowed, a checkpoint's, or the seed.
template <class T>
std::optional<NonFinite> FindNonFiniteGradient(Tape<T>& tape, const Names& names = {}) {
  using tape::IsFinite;
  using tape::IsZero;
  for (Id id = tape.size(); id-- > tape::kFirstId;) {
    const T own = tape.gradient(id);
    if (IsZero(own)) continue;
    const OpOf explained = Explain(tape, id);
    const auto found = [&](const std::string& what) {
      return NonFinite{id, explained.op, absl::StrCat(what, ": ", Describe(tape, id, names))};
    };
    if (!IsFinite(own)) {
      return found(absl::StrCat("the gradient of ", NameOf(id, names), " is ", internal::Text(own),
                                ", though what each op adds to it is finite"));
    }
    const std::vector<T> contributions = Contributions(tape, id, explained);
    for (size_t k = 0; k < contributions.size(); ++k) {
      const Id operand = explained.operands[k];
      if (operand < tape::kFirstId || IsFinite(contributions[k])) continue;
      return found(absl::StrCat("to the gradient of ", NameOf(operand, names), " an op adds ",
                                internal::Text(contributions[k]), " though its own gradient is ",
                                internal::Text(own)));
    }
  }
  return std::nullopt;
}

struct DotOptions {
  Names names;
  size_t max_nodes = 500;   // of the part next to the root
  size_t max_operands = 4;  // drawn of each run; a node tells how many more there are
  bool gradients = false;   // of the last Backward
};

// The graph below `root` in Graphviz's language, for `dot -Tsvg`: a node for each value, edges from
// operands. Runs are one node.
template <class T>
std::string ToDot(Tape<T>& tape, const Value<T>& root, const DotOptions& options = {}) {
  const Id top = root.id();
  std::string nodes;
  std::vector<std::pair<Id, Id>> edges;
  std::vector<bool> wanted(top + 1);
  wanted[top] = true;
  size_t drawn = 0;
  Id lowest = top;  // that is drawn
  // Operands have smaller ids: one pass down finds all that the root depends on.
  for (Id id = top + 1; id-- > 0;) {
    if (!wanted[id]) continue;
    if (++drawn > options.max_nodes) {
      absl::StrAppend(&nodes, "  more [shape=plaintext, label=\"...\"];\n");
      break;
    }
    lowest = id;
    const OpOf explained = Explain(tape, id);
    const bool leaf = explained.operands.empty();
    const auto name = options.names.find(id);
    std::string label =
        name != options.names.end() ? absl::StrCat(internal::Quoted(name->second), "\\n") : "";
    if (!leaf) absl::StrAppend(&label, tape::Name(explained.op));
    size_t shown = explained.operands.size();
    if (IsDot(explained.op) || explained.op == Op::kSum) {
      absl::StrAppend(&label, " of ",
                      (explained.operands.size() - 1) / (IsDot(explained.op) ? 2 : 1));
      shown = std::min(shown, options.max_operands + 1);
    }
    absl::StrAppend(&label, leaf ? "" : "\\n", internal::Text(tape.recorder().Load(id)));
    if (options.gradients) {
      absl::StrAppend(&label, "\\ngradient ", internal::Text(tape.gradient(id)));
    }
    absl::StrAppend(&nodes, "  n", id, " [shape=", leaf ? "box" : "ellipse", ", label=\"", label,
                    "\"];\n");
    for (size_t i = 0; i < shown; ++i) {
      edges.emplace_back(explained.operands[i], id);
      wanted[explained.operands[i]] = true;
    }
  }
  std::string arrows;
  std::set<Id> to_more;  // One edge tells it.
  for (const auto& [from, to] : edges) {
    if (from >= lowest) {
      absl::StrAppend(&arrows, "  n", from, " -> n", to, ";\n");
    } else if (to_more.insert(to).second) {
      absl::StrAppend(&arrows, "  more -> n", to, ";\n");
    }
  }
  return absl::StrCat("digraph tape {\n  rankdir=LR;\n", nodes, arrows, "}\n");
}

}  // namespace mlp::autograd
