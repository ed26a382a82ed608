#!/bin/bash
# usage: check_isa_symbols.sh FILE...
# Fails if an object built for one instruction set defines a weak symbol whose name does not carry that instruction
# set: another object may define the same one, and the linker might keep the copy that older CPUs cannot run.
set -euo pipefail
(($# > 0)) || { echo "expected files to check, found none" >&2; exit 2; }
symbols=$(nm -C --defined-only "$@")
bad=$(grep -E ' [WVu] ' <<<"$symbols" |
  grep -vE 'mlp::Isa::|\(mlp::Isa\)|xsimd::(sse2|fma3|avx2|avx512)|Eigen_k(Sse2|Avx2|Avx512)|DW\.ref' || true)
[[ -z $bad ]] || { echo "$bad"; exit 1; }
