"""The one list of compiler flags."""

# -ffp-contract=off: a product and a sum are fused where the code says so (xsimd::fma), never by the compiler's
# choice, so that every build of a formula rounds alike.
# -fno-math-errno, -fno-trapping-math: nothing here reads errno or floating-point exceptions, and loops with
# sqrt may be vectorised.
COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
]
