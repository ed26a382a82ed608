// What callers have to give, checked in all builds. The message: what, expected, found, remedy.
#pragma once

#include <cstddef>
#include <string>

#include "mlp/base/check.h"

namespace mlp::autograd::internal {

// Where a function with this as its last argument is called. (Clang 14 lacks std::source_location.)
struct Place {
  const char* file;
  int line;
  static constexpr Place Here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

[[noreturn, gnu::cold, gnu::noinline]] inline void Refuse(const std::string& message,
                                                          const Place& at = Place::Here()) {
  mlp::internal::CheckFailed(at.file, at.line, message);
}

[[noreturn, gnu::cold, gnu::noinline]] inline void Refuse(const char* message, const Place& at) {
  Refuse(std::string(message), at);
}
[[gnu::always_inline]] inline void Expect(bool condition, const char* message,
                                          const Place& at = Place::Here()) {
  if (!condition) [[unlikely]]
    Refuse(message, at);
}

// Apart, so that what checks stays small enough to be inlined.
[[noreturn, gnu::cold, gnu::noinline]] inline void Refuse(const char* what,
                                                          const std::string& expected, size_t found,
                                                          const char* remedy, const Place& at) {
  Refuse(std::string(what) + ": expected " + expected + ", found " + std::to_string(found) + "; " +
             remedy,
         at);
}
[[noreturn, gnu::cold, gnu::noinline]] inline void RefuseCount(size_t found, size_t expected,
                                                               const char* what, const char* remedy,
                                                               const Place& at) {
  Refuse(what, std::to_string(expected), found, remedy, at);
}
[[noreturn, gnu::cold, gnu::noinline]] inline void RefuseIndex(size_t found, size_t end,
                                                               const char* what, const char* remedy,
                                                               const Place& at) {
  Refuse(what, "a number below " + std::to_string(end), found, remedy, at);
}

// A count has to be that of what it belongs to. what: "dot: factors".
[[gnu::always_inline]] inline void ExpectCount(size_t found, size_t expected, const char* what,
                                               const char* remedy,
                                               const Place& at = Place::Here()) {
  if (found != expected) [[unlikely]]
    RefuseCount(found, expected, what, remedy, at);
}

[[gnu::always_inline]] inline void ExpectSome(size_t found, const char* what, const char* remedy,
                                              const Place& at = Place::Here()) {
  if (found == 0) [[unlikely]]
    Refuse(what, "at least one", found, remedy, at);
}

// An index has to be below `end`.
[[gnu::always_inline]] inline void ExpectBelow(size_t found, size_t end, const char* what,
                                               const char* remedy,
                                               const Place& at = Place::Here()) {
  if (found >= end) [[unlikely]]
    RefuseIndex(found, end, what, remedy, at);
}

}  // namespace mlp::autograd::internal
