#include "mlp/kernels/tape/tape.h"

#include "mlp/kernels/tape/kernels.h"

namespace mlp::tape {
namespace {

const PassTable& Table(Isa isa) {
  switch (isa) {
#define MLP_ISA(enumerator, name, arch) \
  case Isa::enumerator:                 \
    return TapeTable<kernels::Backend::kAutovec, Isa::enumerator>();
#include "mlp/base/isas.inc"
#undef MLP_ISA
  }
  __builtin_unreachable();
}

}  // namespace

absl::string_view Name(Op op) {
  switch (op) {
#define MLP_BINARY(functor, name) \
  case Op::k##functor:            \
    return #name;
#define MLP_UNARY MLP_BINARY
#include "mlp/kernels/tape/tape_ops.inc"
    case Op::kLeaf:
      return "leaf";
    case Op::kData:
      return "data";
    case Op::kDot:
      return "dot";
    case Op::kMinusDot:
      return "minus_dot";
    case Op::kSum:
      return "sum";
    case Op::kMap:
      return "map";
    case Op::kGuard:
      return "less";
    case Op::kLessEqualGuard:
      return "less_equal";
    case Op::kEqualGuard:
      return "equal";
    case Op::kCall:
      return "call";
  }
  __builtin_unreachable();
}

int Operands(Op op) {
  switch (op) {
#define MLP_BINARY(functor, name) \
  case Op::k##functor:            \
    return 2;
#define MLP_UNARY(functor, name) \
  case Op::k##functor:           \
    return 1;
#include "mlp/kernels/tape/tape_ops.inc"
    default:
      return 0;
  }
}

#define MLP_TAPE_NUMBER(T)                 \
  template <>                              \
  const Passes<T>& PassesFor<T>(Isa isa) { \
    return Table(isa).of_##T;              \
  }
MLP_TAPE_NUMBERS(MLP_TAPE_NUMBER)
#undef MLP_TAPE_NUMBER

}  // namespace mlp::tape
