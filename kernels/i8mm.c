/* i8mm.c - the ternary product for Arm with the matrix product (ARMv8.6: Neoverse V1 and N2 2021,
 * Cortex-A510 and X2, Apple M2, Graviton 3).
 *
 * smmla multiplies two rows of eight bytes by two others: 32 products at once, and sums never cross
 * lanes. To feed it, a panel interleaves two rows of codes: eight columns of one, then the same
 * columns of the other. Activations are paired as they are loaded. A single token gains nothing
 * from this and uses dot products. */
#include "kernels.h"

#include <arm_neon.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#include "arm_t2.inc"

enum { CHUNK_BLOCKS = 1 << 20, TILE_TOKENS = 8, PANEL_COLS = 1280, PANEL_ROWS = 12 };

/* ---- One token ------------------------------------------------------------------------------- */

#include "arm_dot.inc"

#include "t2_gemv.inc"

/* ---- Several tokens -------------------------------------------------------------------------- */

/* The first eight bytes of a and of b; the last eight. */
INLINE int8x16_t pair_low(int8x16_t a, int8x16_t b)
{
    return vreinterpretq_s8_s64(vzip1q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

INLINE int8x16_t pair_high(int8x16_t a, int8x16_t b)
{
    return vreinterpretq_s8_s64(vzip2q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

INLINE void put_pair(uint8_t *out, int8x16_t a, int8x16_t b)
{
    a = vec_mask(a, 3);
    b = vec_mask(b, 3);
    vec_store(out, pair_low(a, b));
    vec_store(out + 16, pair_high(a, b));
}

/* codes: [n_r/2 pairs, 2*PANEL_COLS]; a single last row is paired with itself. */
INLINE void unpack_panel(uint8_t *codes, const uint8_t *w, size_t row_bytes, size_t n_r,
                         size_t n_blocks)
{
    for (size_t r = 0; r < n_r; r += 2)
        for (size_t i = 0; i < n_blocks * TRIT_T2_BLOCK_BYTES; i += VEC_BYTES) {
            const uint8_t *row = w + r * row_bytes + i;
            const vec a = vec_load(row), b = vec_load(r + 1 < n_r ? row + row_bytes : row);
            const size_t block = i / TRIT_T2_BLOCK_BYTES, half = i % TRIT_T2_BLOCK_BYTES;
            uint8_t *out = codes + r * PANEL_COLS + 2 * (block * TRIT_T2_BLOCK + half);
            put_pair(out, vec_pairs(vec_high(a)), vec_pairs(vec_high(b)));
            put_pair(out + 64, vec_high(a), vec_high(b));
            put_pair(out + 128, vec_pairs(a), vec_pairs(b));
            put_pair(out + 192, a, b);
        }
}

/* Each acc has a pair of rows by a pair of tokens: row 0 by both, then row 1 by both. */
INLINE void panel_tile(int32_t *sums, const uint8_t *codes, const int8_t *x, size_t ldx, size_t n,
                       size_t n_t)
{
    const size_t n_pairs = (n_t + 1) / 2; /* of tokens; a single one is paired with itself */
    int32x4_t acc[2 * (TILE_TOKENS / 2)];

    for (size_t a = 0; a < 2 * n_pairs; a++)
        acc[a] = acc_zero();
    for (size_t i = 0; i < n; i += VEC_BYTES) {
        int8x16_t c[4], xv[TILE_TOKENS];
        for (size_t k = 0; k < 4; k++) /* low and high of two pairs */
            c[k] = vec_load(codes + k / 2 * 2 * PANEL_COLS + 2 * i + k % 2 * VEC_BYTES);
        for (size_t p = 0; p < n_pairs; p++) {
            const int8x16_t a = vec_load(x + 2 * p * ldx + i);
            const int8x16_t b = n_t == 1 ? a : vec_load(x + (2 * p + 1) * ldx + i);
            xv[2 * p] = pair_low(a, b);
            xv[2 * p + 1] = pair_high(a, b);
        }
        for (size_t a = 0; a < 2 * n_pairs; a++) {
            const size_t r = a / n_pairs, p = a % n_pairs;
            acc[a] = vmmlaq_s32(acc[a], c[2 * r], xv[2 * p]);
            acc[a] = vmmlaq_s32(acc[a], c[2 * r + 1], xv[2 * p + 1]);
        }
    }
    for (size_t t = 0; t < n_t; t++) {
        int32_t *out = sums + t * PANEL_ROWS;
        const int32x4_t a = acc[t / 2], b = acc[n_pairs + t / 2];
        quad_store(out, quad_add(quad_load(out), t % 2 ? vuzp2q_s32(a, b) : vuzp1q_s32(a, b)));
    }
}

#include "t2_gemm.inc"

/* ---- Probe ----------------------------------------------------------------------------------- */

#define PROBE probe_macs
#define CHAIN int32x4_t
#define CHAIN_ZERO vdupq_n_s32(0)
#define ONES int8x16_t
#define ONES_SET vdupq_n_s8(1)
#define STEP(sums) __asm__ volatile("smmla %0.4s, %1.16b, %1.16b" : "+w"(sums) : "w"(ones))
#define CHAIN_SUM(v) ((uint64_t)vaddlvq_s32((v)))

#include "probe.inc"

void trit_kernels_init_i8mm(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    k->probe_macs = probe_macs;
}
