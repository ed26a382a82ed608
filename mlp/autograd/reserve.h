// An array that may grow to a bound without ever moving: address space for all of it, memory only
// for what was touched.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace mlp::autograd {

// Memory is zero when it is first touched. Moves, never copies.
template <class T>
class Reserve {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  Reserve() = default;
  // Room for n Ts; where the system refuses that much address space, data() is null. Arrays that
  // are used together begin on different lines of a page (`stagger`, 0 to 7): element i of all of
  // them would fall into one set of the first cache otherwise, and on Zen 4 even take each other's
  // place in its way predictor, which made recording ten times slower.
  explicit Reserve(size_t n, size_t stagger) {
    if (n == 0) return;
    const size_t offset = stagger * kStaggerBytes;
    bytes_ = n * sizeof(T) + offset;
    void* const at = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return;
    at_ = at;
    data_ = reinterpret_cast<T*>(static_cast<char*>(at) + offset);
    // Small tapes stay small; from here on a page fault brings 2 MiB at once. Only advice.
    constexpr size_t kSmall = size_t{2} << 20;
    if (bytes_ > kSmall) madvise(static_cast<char*>(at) + kSmall, bytes_ - kSmall, MADV_HUGEPAGE);
  }
  Reserve(Reserve&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  Reserve& operator=(Reserve&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Reserve() {
    if (at_ != nullptr) munmap(at_, bytes_);
  }

  T* data() const { return data_; }

 private:
  // Nine cache lines: eight arrays are spread over a page, with room for neighbours.
  static constexpr size_t kStaggerBytes = 9 * 64;

  void* at_ = nullptr;
  T* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace mlp::autograd
