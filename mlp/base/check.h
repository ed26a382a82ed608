// Broken invariants stop the program with file, line and both values. For what comes from outside
// (files, flags, devices, memory) return an absl::Status instead.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

namespace mlp::internal {

[[noreturn, gnu::cold, gnu::noinline]] inline void CheckFailed(const char* file, int line,
                                                               const std::string& what) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what.c_str());
  std::fflush(stderr);
  std::abort();
}

template <class A, class B>
[[noreturn, gnu::cold, gnu::noinline]] void CheckOpFailed(const char* file, int line,
                                                          const char* expression, const A& a,
                                                          const B& b) {
  std::ostringstream what;
  what << expression << " (" << a << " against " << b << ")";
  CheckFailed(file, line, what.str());
}

}  // namespace mlp::internal

#define MLP_CHECK(condition) \
  ((condition) ? (void)0 : ::mlp::internal::CheckFailed(__FILE__, __LINE__, #condition))

#define MLP_CHECK_OP_(a, op, b)                                                          \
  do {                                                                                   \
    const auto& mlp_check_a = (a);                                                       \
    const auto& mlp_check_b = (b);                                                       \
    if (!(mlp_check_a op mlp_check_b)) [[unlikely]]                                      \
      ::mlp::internal::CheckOpFailed(__FILE__, __LINE__, #a " " #op " " #b, mlp_check_a, \
                                     mlp_check_b);                                       \
  } while (false)

#define MLP_CHECK_EQ(a, b) MLP_CHECK_OP_(a, ==, b)
#define MLP_CHECK_NE(a, b) MLP_CHECK_OP_(a, !=, b)
#define MLP_CHECK_LT(a, b) MLP_CHECK_OP_(a, <, b)
#define MLP_CHECK_LE(a, b) MLP_CHECK_OP_(a, <=, b)
#define MLP_CHECK_GT(a, b) MLP_CHECK_OP_(a, >, b)
#define MLP_CHECK_GE(a, b) MLP_CHECK_OP_(a, >=, b)
