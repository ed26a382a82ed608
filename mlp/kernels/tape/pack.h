// W samples' numbers in one, with the operators and functions of a number. All of it is inlined:
// its code is that of the file's own instruction set.
#pragma once

#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>

// GCC notes that functions which take long vectors are called differently since its version 4.6.
// None of those here is called from another file.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace mlp::tape {

#define MLP_INLINE __attribute__((always_inline)) inline
#define MLP_INLINE_LAMBDA __attribute__((always_inline))

template <class N>
concept Arithmetic = std::is_arithmetic_v<N>;

// Aligned outright: GCC forgets the alignment of a vector whose length depends on a template.
template <class S, int W>
struct alignas(sizeof(S) * W) Pack {
  typedef S Vector __attribute__((vector_size(sizeof(S) * W)));
  using Bits = decltype(Vector{} < Vector{});

  // What a comparison says, for each sample.
  struct Mask {
    Bits bits;
    friend MLP_INLINE Pack select(const Mask& mask, const Pack& a, const Pack& b) {
      Pack r;
      r.v = mask.bits ? a.v : b.v;
      return r;
    }
  };

  Vector v;

  Pack() = default;
  // The same in all samples.
  template <Arithmetic Number>
  MLP_INLINE Pack(Number x) : v(static_cast<S>(x) - Vector{}) {}

  MLP_INLINE S operator[](size_t i) const { return v[i]; }

#define MLP_PACK_OPERATOR(op)                                        \
  friend MLP_INLINE Pack operator op(const Pack& a, const Pack& b) { \
    Pack r;                                                          \
    r.v = a.v op b.v;                                                \
    return r;                                                        \
  }                                                                  \
  MLP_INLINE Pack& operator op##=(const Pack& b) { return *this = *this op b; }
  MLP_PACK_OPERATOR(+)
  MLP_PACK_OPERATOR(-)
  MLP_PACK_OPERATOR(*)
  MLP_PACK_OPERATOR(/)
#undef MLP_PACK_OPERATOR
  friend MLP_INLINE Pack operator-(const Pack& a) {
    Pack r;
    r.v = -a.v;
    return r;
  }

#define MLP_PACK_COMPARISON(op) \
  friend MLP_INLINE Mask operator op(const Pack& a, const Pack& b) { return {a.v op b.v}; }
  MLP_PACK_COMPARISON(<)
  MLP_PACK_COMPARISON(>)
  MLP_PACK_COMPARISON(<=)
  MLP_PACK_COMPARISON(>=)
  MLP_PACK_COMPARISON(==)
#undef MLP_PACK_COMPARISON

#define MLP_PACK_FUNCTION(name)                             \
  friend MLP_INLINE Pack name(const Pack& a) {              \
    Pack r;                                                 \
    for (int i = 0; i < W; ++i) r.v[i] = std::name(a.v[i]); \
    return r;                                               \
  }
  MLP_PACK_FUNCTION(abs)
  MLP_PACK_FUNCTION(acos)
  MLP_PACK_FUNCTION(asin)
  MLP_PACK_FUNCTION(atan)
  MLP_PACK_FUNCTION(cbrt)
  MLP_PACK_FUNCTION(cos)
  MLP_PACK_FUNCTION(cosh)
  MLP_PACK_FUNCTION(erf)
  MLP_PACK_FUNCTION(exp)
  MLP_PACK_FUNCTION(expm1)
  MLP_PACK_FUNCTION(log)
  MLP_PACK_FUNCTION(log1p)
  MLP_PACK_FUNCTION(sin)
  MLP_PACK_FUNCTION(sinh)
  MLP_PACK_FUNCTION(sqrt)
  MLP_PACK_FUNCTION(tan)
  MLP_PACK_FUNCTION(tanh)
#undef MLP_PACK_FUNCTION
#define MLP_PACK_FUNCTION(name)                                     \
  friend MLP_INLINE Pack name(const Pack& a, const Pack& b) {       \
    Pack r;                                                         \
    for (int i = 0; i < W; ++i) r.v[i] = std::name(a.v[i], b.v[i]); \
    return r;                                                       \
  }
  MLP_PACK_FUNCTION(atan2)
  MLP_PACK_FUNCTION(hypot)
  MLP_PACK_FUNCTION(pow)
#undef MLP_PACK_FUNCTION

  // Halves are added until one number is left: the same order everywhere.
  friend MLP_INLINE S Sum(const Pack& a) {
    if constexpr (W == 2) {
      return a.v[0] + a.v[1];
    } else {
      return [&]<int... kLane>(std::integer_sequence<int, kLane...>) MLP_INLINE_LAMBDA {
        Pack<S, W / 2> half;
        half.v = __builtin_shufflevector(a.v, a.v, kLane...) +
                 __builtin_shufflevector(a.v, a.v, (kLane + W / 2)...);
        return Sum(half);
      }
      (std::make_integer_sequence<int, W / 2>());
    }
  }
  friend MLP_INLINE bool IsZero(const Pack& a) {
    bool zero = true;
    for (int i = 0; i < W; ++i) zero &= a.v[i] == 0;
    return zero;
  }
  // Each sample by itself.
  friend MLP_INLINE Pack Chain(const Pack& q, const Pack& slope) {
    return select(q == Pack(0), Pack(0), q * slope);
  }
  friend MLP_INLINE bool IsFinite(const Pack& a) {
    bool finite = true;
    for (int i = 0; i < W; ++i) finite &= a.v[i] - a.v[i] == 0;
    return finite;
  }
};
#undef MLP_INLINE
#undef MLP_INLINE_LAMBDA

template <class T>
struct PackTraits {
  using Element = T;
  static constexpr int kWidth = 1;
};
template <class S, int W>
struct PackTraits<Pack<S, W>> {
  using Element = S;
  static constexpr int kWidth = W;
};

}  // namespace mlp::tape
