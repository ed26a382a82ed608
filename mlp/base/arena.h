// All memory of one plan in one block: laid out twice by the same code, first to count, then for
// real, and never grown afterwards.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/check.h"

namespace mlp {

// Owns the memory that the spans of Take point into. Moves keep those spans valid.
class Arena {
 public:
  Arena() = default;

  // Calls layout(arena) twice. It must take the same pieces in the same order each time; those of
  // the second call are the ones to keep. A block that counts beside L2 fills whole huge pages: on
  // small ones it is luck how well its lines share the cache.
  template <class Layout>
  static Arena For(Layout layout) {
    Arena arena;
    layout(arena);
    const size_t needed = arena.used_;
    const size_t grain = needed >= kHugePageBytes / 8 ? kHugePageBytes : 1;
    arena.buffer_ = AlignedBuffer<std::byte>(RoundUp(needed, grain));
    arena.used_ = 0;
    layout(arena);
    MLP_CHECK_EQ(arena.used_, needed);
    return arena;
  }

  // n zeroed Ts on cache lines of their own. While counting, a span without memory behind it.
  template <class T>
  std::span<T> Take(size_t n) {
    const size_t offset = used_;
    used_ += RoundUp(n * sizeof(T), kCacheLineBytes);
    if (buffer_.empty()) return {};
    MLP_CHECK_LE(used_, buffer_.size());
    return {reinterpret_cast<T*>(buffer_.data() + offset), n};
  }

  // What is taken next lies a page away from what was taken before. CPUs fetch lines ahead of who
  // reads in order, up to the end of a page: beyond the end of one thread's data they would take
  // another's from it.
  void SetApart() { used_ += kPageBytes; }

  size_t bytes() const { return buffer_.size(); }

 private:
  static constexpr size_t kPageBytes = 4096;

  AlignedBuffer<std::byte> buffer_;
  size_t used_ = 0;
};

}  // namespace mlp
