/* dotprod.c - the ternary product for Arm with the dot product (ARMv8.2: Cortex-A76 2018, Apple M1,
 * Graviton 2, Raspberry Pi 5).
 *
 * sdot adds four products of bytes at once into 32 bits: no 16-bit sums to widen. */
#include "kernels.h"

#include <arm_neon.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#include "arm_t2.inc"

enum { CHUNK_BLOCKS = 1 << 20, TILE_TOKENS = 4, PANEL_COLS = 1280 };

typedef int32x4_t vec_acc;

INLINE int32x4_t acc_zero(void)
{
    return vdupq_n_s32(0);
}

INLINE int32x4_t mac(int32x4_t acc, int8x16_t c, int8x16_t x)
{
    return vdotq_s32(acc, c, x);
}

INLINE int32x4_t widen(int32x4_t ones, int32x4_t fours)
{
    return vsraq_n_s32(ones, fours, 2);
}

#include "t2_gemv.inc"

#include "t2_panel.inc"

#include "t2_gemm.inc"

/* ---- Probe ----------------------------------------------------------------------------------- */

/* Instructions written out, so that every chain stays in a register. */
#define DOT(acc) __asm__ volatile("sdot %0.4s, %1.16b, %1.16b" : "+w"(acc) : "w"(ones))

static uint64_t probe_macs(size_t n_rounds)
{
    const int8x16_t ones = vdupq_n_s8(1);
    int32x4_t a = vdupq_n_s32(0), b = a, c = a, d = a, e = a, f = a;
    int32x4_t g = a, h = a, i = a, j = a, k = a, l = a;

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
    const int32x4_t all[] = {a, b, c, d, e, f, g, h, i, j, k, l};
    uint64_t sum = 0;
    for (int n = 0; n < 12; n++)
        sum += (uint64_t)vaddlvq_s32(all[n]);
    return sum;
}
#undef DOT

void trit_kernels_init_dotprod(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    k->probe_macs = probe_macs;
}
