/* avxvnni.c - the ternary product for x86 with AVX-VNNI (Alder Lake 2021, Zen 5 and later laptops).
 *
 * dpbusd multiplies unsigned codes by signed activations and adds four products at once into 32
 * bits: no 16-bit sums to widen, and less than half of avx2.c's instructions. */
#include "kernels.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#include "x86_t2.inc"

enum {
    CHUNK_BLOCKS = 1 << 20,
    TILE_TOKENS = 2,
    PANEL_COLS = 1280
}; /* 32-bit sums never need widening */

/* Not the intrinsic: gcc 12 copies its accumulator before and after, and runs out of registers. */
INLINE __m256i mac(__m256i acc, __m256i c, __m256i x)
{
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(c), "x"(x));
    return acc;
}

INLINE __m256i widen(__m256i ones, __m256i fours)
{
    return _mm256_add_epi32(ones, _mm256_srai_epi32(fours, 2));
}

#include "t2_gemv.inc"

#include "t2_panel.inc"

#include "t2_gemm.inc"

/* ---- Probe ----------------------------------------------------------------------------------- */

/* Instructions written out, so that every chain stays in a register. */
#define DOT(acc) __asm__ volatile("%{vex%} vpdpbusd %1, %1, %0" : "+x"(acc) : "x"(ones))

static uint64_t probe_macs(size_t n_rounds)
{
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a, e = a, f = a;
    __m256i g = a, h = a, i = a, j = a, k = a, l = a;

    for (size_t r = 0; r < n_rounds; r++) {
        DOT(a);
        DOT(b);
        DOT(c);
        DOT(d);
        DOT(e);
        DOT(f);
        DOT(g);
        DOT(h);
        DOT(i);
        DOT(j);
        DOT(k);
        DOT(l);
    }
    const __m256i all[] = {a, b, c, d, e, f, g, h, i, j, k, l};
    uint64_t sum = 0;
    for (int n = 0; n < 12; n++) {
        uint32_t part[8];
        _mm256_storeu_si256((__m256i *)part, all[n]);
        for (int lane = 0; lane < 8; lane++)
            sum += part[lane];
    }
    return sum;
}
#undef DOT

void trit_kernels_init_avxvnni(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    k->probe_macs = probe_macs;
}
