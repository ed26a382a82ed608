// Looking at a tape: its ops in words, where a NaN or an infinity came from, and its graph.
#pragma once

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mlp/autograd/tape.h"

namespace mlp::autograd {

// What an id was computed from, runs taken apart: an op and its operands, in the order of the
// formula. A dot run has c, a[0], b[0], a[1], ...
struct OpOf {
  Op op;
  std::vector<Id> operands;
};
template <class T>
OpOf Explain(Tape<T>& tape, Id id) {
  const tape::ArraysOf<T> all = tape.arrays();
  const Word word = all.words[id];
  OpOf result{word.op(), {}};
  std::vector<Id>& operands = result.operands;
  if (const int n = tape::Operands(word.op()); n > 0) {
    operands.push_back(word.a());
    if (n > 1) operands.push_back(word.b());
  } else if (word.op() == Op::kDot || word.op() == Op::kSum) {
    const Run run = all.runs[word.a()];
    operands.push_back(run.c);
    for (Id k = 0; k < run.n; ++k) {
      if (word.op() == Op::kDot) operands.push_back(run.a + k);
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

// Names for ids, in messages and graphs.
using Names = std::map<Id, std::string>;

// "log of id 7 = -1".
template <class T>
std::string Describe(Tape<T>& tape, Id id, const Names& names = {}) {
  constexpr size_t kMostOperands = 6;
  const auto name = [&](Id operand) {
    const auto it = names.find(operand);
    return it == names.end() ? absl::StrCat("id ", operand) : it->second;
  };
  const OpOf explained = Explain(tape, id);
  std::string text =
      absl::StrCat(name(id), " = ", tape.recorder().Load(id), ", ", tape::Name(explained.op));
  if (explained.operands.empty()) return text;
  absl::StrAppend(&text, " of ");
  for (size_t i = 0; i < explained.operands.size(); ++i) {
    if (i == kMostOperands) {
      absl::StrAppend(&text, ", ... (", explained.operands.size(), " operands)");
      break;
    }
    const Id operand = explained.operands[i];
    absl::StrAppend(&text, i == 0 ? "" : ", ", name(operand), " = ", tape.recorder().Load(operand));
  }
  return text;
}

// Where numbers stopped being finite.
struct NonFinite {
  Id id = 0;            // the value whose op did it
  Op op = Op::kLeaf;    // which
  std::string message;  // names the op, its operands and their numbers
};

// The first value that is NaN or infinite though its operands are not; an input that is counts,
// too. Null if all are finite. Costs nothing while recording: the tape is searched afterwards.
template <class T>
std::optional<NonFinite> FindNonFinite(Tape<T>& tape, const Names& names = {}) {
  const auto finite = [&](Id id) { return std::isfinite(tape.recorder().Load(id)); };
  for (Id id = tape::kFirstId; id < tape.size(); ++id) {
    if (finite(id)) continue;
    // Operands have smaller ids: all of them are finite.
    return NonFinite{id, Explain(tape, id).op, Describe(tape, id, names)};
  }
  return std::nullopt;
}

// After Backward: the op nearest to the root whose own adjoint is finite while that of an operand,
// by its doing, is not.
template <class T>
std::optional<NonFinite> FindNonFiniteGradient(Tape<T>& tape, const Names& names = {}) {
  for (Id id = tape.size(); id-- > tape.parameters_end();) {
    if (!std::isfinite(tape.gradient(id)) || tape.gradient(id) == 0) continue;
    const OpOf explained = Explain(tape, id);
    for (const Id operand : explained.operands) {
      if (operand < tape::kFirstId || std::isfinite(tape.gradient(operand))) continue;
      return NonFinite{id, explained.op,
                       absl::StrCat("the gradient of id ", operand, " is ", tape.gradient(operand),
                                    ", that of the op it goes into is ", tape.gradient(id), ": ",
                                    Describe(tape, id, names))};
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
  std::string nodes, edges;
  std::vector<bool> wanted(top + 1);
  wanted[top] = true;
  size_t drawn = 0;
  // Operands have smaller ids: one pass down finds all that the root depends on.
  for (Id id = top + 1; id-- > 0;) {
    if (!wanted[id]) continue;
    if (++drawn > options.max_nodes) {
      absl::StrAppend(&nodes, "  more [shape=plaintext, label=\"...\"];\n");
      break;
    }
    const OpOf explained = Explain(tape, id);
    const bool leaf = explained.operands.empty();
    const auto name = options.names.find(id);
    std::string label = name != options.names.end() ? absl::StrCat(name->second, "\\n") : "";
    if (!leaf) absl::StrAppend(&label, tape::Name(explained.op));
    size_t shown = explained.operands.size();
    if (explained.op == Op::kDot || explained.op == Op::kSum) {
      absl::StrAppend(&label, " of ",
                      (explained.operands.size() - 1) / (explained.op == Op::kDot ? 2 : 1));
      shown = std::min(shown, options.max_operands + 1);
    }
    absl::StrAppend(&label, leaf ? "" : "\\n", tape.recorder().Load(id));
    if (options.gradients) absl::StrAppend(&label, "\\ngradient ", tape.gradient(id));
    absl::StrAppend(&nodes, "  n", id, " [shape=", leaf ? "box" : "ellipse", ", label=\"", label,
                    "\"];\n");
    for (size_t i = 0; i < shown; ++i) {
      absl::StrAppend(&edges, "  n", explained.operands[i], " -> n", id, ";\n");
      wanted[explained.operands[i]] = true;
    }
  }
  return absl::StrCat("digraph tape {\n  rankdir=LR;\n", nodes, edges, "}\n");
}

}  // namespace mlp::autograd
