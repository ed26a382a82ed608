// W samples' numbers in one, with the operators and functions of a number. All of it is inlined:
// its code is that of the file's own instruction set.
#pragma once

#include <cmath>
#include <cstddef>
#include <type_traits>

namespace mlp::tape {

#define MLP_INLINE __attribute__((always_inline)) inline

template <class S, int W>
struct Pack {
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
  template <class Number>
  requires std::is_arithmetic_v<Number> MLP_INLINE Pack(Number x)
      : v(static_cast<S>(x) - Vector{}) {}

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
  MLP_PACK_FUNCTION(cos)
  MLP_PACK_FUNCTION(erf)
  MLP_PACK_FUNCTION(exp)
  MLP_PACK_FUNCTION(expm1)
  MLP_PACK_FUNCTION(log)
  MLP_PACK_FUNCTION(log1p)
  MLP_PACK_FUNCTION(sin)
  MLP_PACK_FUNCTION(sqrt)
  MLP_PACK_FUNCTION(tanh)
#undef MLP_PACK_FUNCTION
  friend MLP_INLINE Pack pow(const Pack& a, const Pack& b) {
    Pack r;
    for (int i = 0; i < W; ++i) r.v[i] = std::pow(a.v[i], b.v[i]);
    return r;
  }

  // Halves are added until one number is left: the same order everywhere.
  friend MLP_INLINE S Sum(const Pack& a) {
    S lanes[W];
    for (int i = 0; i < W; ++i) lanes[i] = a.v[i];
    for (int half = W / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    return lanes[0];
  }
  friend MLP_INLINE bool IsZero(const Pack& a) {
    bool zero = true;
    for (int i = 0; i < W; ++i) zero &= a.v[i] == 0;
    return zero;
  }
  friend MLP_INLINE bool IsFinite(const Pack& a) {
    bool finite = true;
    for (int i = 0; i < W; ++i) finite &= a.v[i] - a.v[i] == 0;
    return finite;
  }
};
#undef MLP_INLINE

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
