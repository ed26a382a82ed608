// What callers have to give, checked in all builds. The message: what, expected, found, remedy.
#pragma once

#include <cstddef>
#include <source_location>
#include <string>

#include "mlp/base/check.h"

namespace mlp::autograd::internal {

[[noreturn, gnu::cold, gnu::noinline]] inline void Refuse(
    const std::string& message, const std::source_location& at = std::source_location::current()) {
  mlp::internal::CheckFailed(at.file_name(), static_cast<int>(at.line()), message);
}

// Apart, so that what checks stays small enough to be inlined.
[[noreturn, gnu::cold, gnu::noinline]] inline void Refuse(const char* what,
                                                          const std::string& expected, size_t found,
                                                          const char* remedy,
                                                          const std::source_location& at) {
  Refuse(std::string(what) + ": expected " + expected + ", found " + std::to_string(found) + "; " +
             remedy,
         at);
}
[[noreturn, gnu::cold, gnu::noinline]] inline void RefuseCount(size_t found, size_t expected,
                                                               const char* what, const char* remedy,
                                                               const std::source_location& at) {
  Refuse(what, std::to_string(expected), found, remedy, at);
}
[[noreturn, gnu::cold, gnu::noinline]] inline void RefuseIndex(size_t found, size_t end,
                                                               const char* what, const char* remedy,
                                                               const std::source_location& at) {
  Refuse(what, "a number below " + std::to_string(end), found, remedy, at);
}

// A count has to be that of what it belongs to. what: "dot: factors".
[[gnu::always_inline]] inline void ExpectCount(
    size_t found, size_t expected, const char* what, const char* remedy,
    const std::source_location& at = std::source_location::current()) {
  if (found != expected) [[unlikely]]
    RefuseCount(found, expected, what, remedy, at);
}

[[gnu::always_inline]] inline void ExpectSome(
    size_t found, const char* what, const char* remedy,
    const std::source_location& at = std::source_location::current()) {
  if (found == 0) [[unlikely]]
    Refuse(what, "at least one", found, remedy, at);
}

// An index has to be below `end`.
[[gnu::always_inline]] inline void ExpectBelow(
    size_t found, size_t end, const char* what, const char* remedy,
    const std::source_location& at = std::source_location::current()) {
  if (found >= end) [[unlikely]]
    RefuseIndex(found, end, what, remedy, at);
}

}  // namespace mlp::autograd::internal
