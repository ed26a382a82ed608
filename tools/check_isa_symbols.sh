#!/bin/bash
# usage: check_isa_symbols.sh FILE...
# Fails if an object built for one instruction set (the end of its name: gemm_simd_avx512.a) defines a weak symbol whose
# name does not carry that same set: another object may define the same one, and the linker might keep the copy that
# older CPUs cannot run. So an AVX-512 object may not define templates on SSE2's vectors either. Extensions
# (peak_avx512_bf16.a) may define no weak symbols at all. Nor may a formula on vectors (a template of mlp::kernels) be a
# function of its own: a loop would call it for every vector.
set -euo pipefail
(($# > 0)) || { echo "expected files to check, found none" >&2; exit 2; }
status=0
for file in "$@"; do
  name=${file##*/}
  name=${name%%.*}
  case $name in
    *_avx512_bf16 | *_avx512_vbmi2 | *_amx_bf16) own='^$' ;;
    # Enumerators of mlp::Isa appear as numbers.
    *_sse2 | *_scalar) own='\(mlp::Isa\)0|xsimd::sse2|Eigen_kSse2' ;;
    *_avx2) own='\(mlp::Isa\)1|xsimd::(fma3<xsimd::)?avx2|Eigen_kAvx2' ;;
    *_avx512) own='\(mlp::Isa\)2|xsimd::avx512|Eigen_kAvx512' ;;
    *)
      echo "$file: expected a name that ends in an instruction set" >&2
      exit 2
      ;;
  esac
  symbols=$(nm -C --defined-only "$file")
  bad=$(grep -E ' [WVu] ' <<<"$symbols" | grep -vE "$own|DW\.ref" || true)
  [[ -z $bad ]] || { sed "s|^|$name: |" <<<"$bad"; status=1; }
  called=$(grep -E ' mlp::kernels::[A-Za-z0-9_:]+<xsimd::batch' <<<"$symbols" || true)
  [[ -z $called ]] || { sed "s|^|$name: not inlined: |" <<<"$called"; status=1; }
done
exit "$status"
