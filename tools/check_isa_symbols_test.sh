#!/bin/bash
# usage: check_isa_symbols_test.sh check_isa_symbols.sh
# The check finds what it is there to find.
set -euo pipefail
check=$PWD/$1
cd "$TEST_TMPDIR"
# A template on the architecture is a weak symbol; a function in no namespace of its own is a strong one.
cat >source.cc <<'END'
namespace xsimd { struct sse2 {}; struct avx2 {}; struct avx512bw {}; template <class T, class Arch> struct batch {}; }
template <class Arch> void Kernel(Arch) {}
inline void Shared() {}
template void Kernel(xsimd::WHICH);
#ifdef CALLS_SHARED
void Caller() { Shared(); }
#endif
#ifdef CALLS_FORMULA
namespace mlp::kernels {
struct Math { template <class V> static V Exp(V x) { return x; } };
xsimd::batch<float, xsimd::WHICH> Caller() { return Math::Exp(xsimd::batch<float, xsimd::WHICH>()); }
}
#endif
END
compile() { # name, architecture, further flags
  g++ -O0 -c -DWHICH="$2" "${@:3}" source.cc -o "$1.o"
}
passes() { "$check" "$1.o" || { echo "$1: expected to pass" >&2; exit 1; }; }
fails() { ! "$check" "$1.o" >/dev/null || { echo "$1: expected to fail" >&2; exit 1; }; }

for isa in sse2 avx2 avx512; do
  own=$isa
  [[ $isa != avx512 ]] || own=avx512bw
  compile "own_$isa" "$own"
  passes "own_$isa"
  compile "shared_$isa" "$own" -DCALLS_SHARED
  fails "shared_$isa"
  compile "called_$isa" "$own" -DCALLS_FORMULA
  fails "called_$isa"
done
compile foreign_avx512 sse2
fails foreign_avx512
compile wider_avx512 avx2
fails wider_avx512
compile any_avx512_bf16 avx512bw
fails any_avx512_bf16
compile nameless sse2
fails nameless
