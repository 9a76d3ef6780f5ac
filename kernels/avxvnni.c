/* avxvnni.c - the ternary product for x86 with AVX-VNNI (Alder Lake 2021, Zen 5 and later laptops).
 *
 * dpbusd multiplies unsigned codes by signed activations and adds four products at once into 32
 * bits, so sums need not be widened and the loop has less than half of avx2.c's instructions. */
#include "kernels.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#include "x86_t2.inc"

enum {
    CHUNK_BLOCKS = 1 << 20, /* 32-bit sums never need widening */
    TILE_TOKENS = 2,
    PANEL_COLS = 1280,
};

/* asm: gcc 12 copies the intrinsic's accumulator before and after, and runs out of registers. */
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

#define PROBE probe_macs
#define CHAIN __m256i
#define CHAIN_SUM chain_sum
#define CHAIN_ZERO _mm256_setzero_si256()
#define ONES __m256i
#define ONES_SET _mm256_set1_epi8(1)
#define STEP(sums) __asm__ volatile("%{vex%} vpdpbusd %1, %1, %0" : "+x"(sums) : "x"(ones))

INLINE uint64_t chain_sum(__m256i v)
{
    int32_t sums[4];
    const __m256i zero = _mm256_setzero_si256();
    quad_store(sums, sum_lanes(v, zero, zero, zero));
    return (uint64_t)sums[0];
}

#include "probe.inc"

void trit_kernels_init_avxvnni(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    k->probe_macs = probe_macs;
}
