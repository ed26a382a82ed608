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

// A count has to be that of what it belongs to. what: "dot: factors".
inline void ExpectCount(size_t found, size_t expected, const char* what, const char* remedy,
                        const std::source_location& at = std::source_location::current()) {
  if (found == expected) [[likely]]
    return;
  Refuse(std::string(what) + ": expected " + std::to_string(expected) + ", found " +
             std::to_string(found) + "; " + remedy,
         at);
}

inline void ExpectSome(size_t found, const char* what, const char* remedy,
                       const std::source_location& at = std::source_location::current()) {
  if (found > 0) [[likely]]
    return;
  Refuse(std::string(what) + ": expected at least one, found none; " + remedy, at);
}

// An index has to be below `end`.
inline void ExpectBelow(size_t found, size_t end, const char* what, const char* remedy,
                        const std::source_location& at = std::source_location::current()) {
  if (found < end) [[likely]]
    return;
  Refuse(std::string(what) + ": expected a number below " + std::to_string(end) + ", found " +
             std::to_string(found) + "; " + remedy,
         at);
}

}  // namespace mlp::autograd::internal
