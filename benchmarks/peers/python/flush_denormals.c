/* Loaded before anything that starts threads: the loading thread treats denormals as zero from here on, and so do the
   threads that it starts. */
#include <immintrin.h>

__attribute__((constructor)) void flush_denormals(void) {
  _mm_setcsr(_mm_getcsr() | 0x8040); /* flush to zero, denormals are zero */
}
