// Numbers as text that loses nothing.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <string>

namespace mlp {

// The shortest text that reads back as the same number.
template <std::floating_point T>
std::string Shortest(T value) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.begin(), text.end(), value).ptr};
}

}  // namespace mlp
