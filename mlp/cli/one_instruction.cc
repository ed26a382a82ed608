// usage: one_instruction sse2|avx2|avx512
// Executes one instruction of that set, whether the CPU has it or not: shows what the emulated CPUs
// of qemu_test do with one that they lack.
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  const char* isa = argc > 1 ? argv[1] : "";
  if (std::strcmp(isa, "sse2") == 0) {
    asm volatile("paddd %%xmm0, %%xmm0" ::: "xmm0");
  } else if (std::strcmp(isa, "avx2") == 0) {
    asm volatile("vpaddd %%ymm0, %%ymm0, %%ymm0" ::: "xmm0");
  } else if (std::strcmp(isa, "avx512") == 0) {
    asm volatile("vpaddd %%zmm0, %%zmm0, %%zmm0" ::: "xmm0");
  } else {
    std::fprintf(stderr, "one_instruction: expected sse2, avx2 or avx512, found \"%s\"\n", isa);
    return 2;
  }
  return 0;
}
