#include "mlp/base/rng.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "mlp/base/check.h"

namespace mlp {

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

void Stream::Refill() {
  block_ = Philox4x32(counter_, key_);
  ++counter_[0];
  MLP_CHECK_NE(counter_[0], 0u);
  used_ = 0;
}

uint32_t Stream::Below(uint32_t n) {
  MLP_CHECK_GT(n, 0u);
  // Lemire, "Fast random integer generation in an interval", 2019.
  uint64_t product = uint64_t{NextU32()} * n;
  if (static_cast<uint32_t>(product) < n) {
    const uint32_t threshold = -n % n;
    while (static_cast<uint32_t>(product) < threshold) product = uint64_t{NextU32()} * n;
  }
  return static_cast<uint32_t>(product >> 32);
}

float Stream::Normal() {
  const double u = (NextU32() + 1.0) * 0x1p-32;  // (0, 1]
  const double v = NextU32() * 0x1p-32;
  return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
}

void Shuffle(Stream& stream, std::span<uint32_t> items) {
  MLP_CHECK_LE(items.size(), size_t{0xFFFFFFFF});
  for (size_t n = items.size(); n > 1; --n) {
    std::swap(items[n - 1], items[stream.Below(static_cast<uint32_t>(n))]);
  }
}

}  // namespace mlp
