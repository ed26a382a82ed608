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
