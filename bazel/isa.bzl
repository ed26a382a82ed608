"""The instruction sets that kernels are built for, and the flags that make each one.

Keep the names in step with mlp/base/isas.inc.
"""

ISA_COPTS = {
    "sse2": [],
    "avx2": [
        "-mavx2",
        "-mfma",
    ],
    "avx512": [
        # GCC 12 takes the undefined operand inside its own AVX-512 intrinsics for ours (GCC bug 105593).
        "-Wno-maybe-uninitialized",
        "-Wno-uninitialized",
        "-mavx512f",
        "-mavx512cd",
        "-mavx512dq",
        "-mavx512bw",
        "-mavx512vl",
        "-mavx2",
        "-mfma",
        # Without it GCC vectorises plain loops with 256 bits even here.
        "-mprefer-vector-width=512",
    ],
}

# Extensions: for single sources beside those of an instruction set.
BF16_COPTS = ISA_COPTS["avx512"] + [
    "-mavx512bf16",
    "-DMLP_TARGET_ISA=kAvx512",
]
VBMI2_COPTS = ISA_COPTS["avx512"] + [
    "-mavx512vbmi2",
    "-DMLP_TARGET_ISA=kAvx512",
]
AMX_BF16_COPTS = BF16_COPTS + [
    "-mamx-tile",
    "-mamx-bf16",
]
