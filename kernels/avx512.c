/* avx512.c - kernels for x86 with AVX-512 and VNNI (Ice Lake 2019, Zen 4 2022 and later).
 *
 * A zmm register holds 32 bytes of two rows, so that the activations of a plane, 32 bytes too, are
 * broadcast by the load and the layout of neither has to change. The 16 lanes of the lane rule are
 * one zmm register. */
#include "kernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "half.h"

#define INLINE static inline __attribute__((always_inline))

/* ---- Ternary ---------------------------------------------------------------------------------
 * A lone token goes through 256-bit registers: they are fast enough for any memory, and rows in a
 * file are aligned to 32 bytes, not to 64. */

#include "x86_t2.inc"

enum { CHUNK_BLOCKS = 1 << 20 }; /* 32-bit sums never need widening */

INLINE __m256i mac(__m256i acc, __m256i c, __m256i x)
{
    return _mm256_dpbusd_epi32(acc, c, x);
}

INLINE __m256i widen(__m256i ones, __m256i fours)
{
    return _mm256_add_epi32(ones, _mm256_srai_epi32(fours, 2));
}

#include "t2_gemv.inc"

/* Block b of a row in the low half and of the next row in the high half (or code 0 there, whose sum
 * is not used). */
INLINE __m512i load_pair(const uint8_t *w, size_t row_bytes, size_t b, bool both)
{
    const uint8_t *p = w + b * TRIT_T2_BLOCK_BYTES;
    const __m512i low = _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)p));
    return both ? _mm512_inserti64x4(low, _mm256_loadu_si256((const __m256i *)(p + row_bytes)), 1)
                : low;
}

/* A tile of n_p pairs of rows by n_t tokens, compile-time constants with n_p*n_t <= 16; both is
 * false for a last lone row. */
INLINE void t2_tile(float *y, size_t ldy, const uint8_t *w, size_t row_bytes, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_cols, size_t n_p, size_t n_t,
                    bool both)
{
    const __m512i three = _mm512_set1_epi8(3);
    __m512i acc[16];

    for (size_t a = 0; a < n_p * n_t; a++)
        acc[a] = _mm512_setzero_si512();
    for (size_t b = 0; b < n_cols / TRIT_T2_BLOCK; b++) {
        __m512i codes[4];
        for (size_t i = 0; i < n_p; i++) {
            const uint8_t *pair = w + 2 * i * row_bytes;
            codes[i] = load_pair(pair, row_bytes, b, both);
        }
#pragma GCC unroll 4
        for (int p = 0; p < 4; p++) {
            __m512i plane[4];
            const uint8_t shift = (uint8_t)(6 - 2 * p); /* compilers differ on its sign */
            for (size_t i = 0; i < n_p; i++)
                plane[i] = _mm512_and_si512(_mm512_srli_epi16(codes[i], shift), three);
            for (size_t t = 0; t < n_t; t++) {
                const int8_t *xp = x + t * n_cols + b * TRIT_T2_BLOCK + 32 * (size_t)p;
                const __m512i xv = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)xp));
                for (size_t i = 0; i < n_p; i++)
                    acc[i * n_t + t] = _mm512_dpbusd_epi32(acc[i * n_t + t], plane[i], xv);
            }
        }
    }
    for (size_t a = 0; a < n_t * ((n_p + 1) / 2); a++) {
        const size_t t = a % n_t, i = a / n_t * 2;
        const __m512i first = acc[i * n_t + t];
        const __m512i second = i + 1 < n_p ? acc[(i + 1) * n_t + t] : _mm512_setzero_si512();
        const __m128i sums =
            sum_lanes(_mm512_castsi512_si256(first), _mm512_extracti64x4_epi64(first, 1),
                      _mm512_castsi512_si256(second), _mm512_extracti64x4_epi64(second, 1));
        store_rows(y + t * ldy + 2 * i, sums, &xq[t], w_scale, !both ? 1 : i + 1 < n_p ? 4 : 2);
    }
}

/* All rows for n_t tokens, n_p pairs at a time: the tokens' activations stay in the first-level
 * cache. */
INLINE void t2_rows(float *y, size_t ldy, const uint8_t *w, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_rows, size_t n_cols,
                    size_t n_p, size_t n_t)
{
    const size_t row_bytes = n_cols / 4;
    size_t r = 0;

    for (; r + 2 * n_p <= n_rows; r += 2 * n_p)
        t2_tile(y + r, ldy, w + r * row_bytes, row_bytes, x, xq, w_scale, n_cols, n_p, n_t, true);
    for (; r + 2 <= n_rows; r += 2)
        t2_tile(y + r, ldy, w + r * row_bytes, row_bytes, x, xq, w_scale, n_cols, 1, n_t, true);
    if (r < n_rows)
        t2_tile(y + r, ldy, w + r * row_bytes, row_bytes, x, xq, w_scale, n_cols, 1, n_t, false);
}

static void t2_gemm(float *y, size_t ldy, const uint8_t *w, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_rows, size_t n_cols,
                    size_t n_tokens)
{
    size_t t = 0;

    for (; t + 8 <= n_tokens; t += 8)
        t2_rows(y + t * ldy, ldy, w, x + t * n_cols, xq + t, w_scale, n_rows, n_cols, 2, 8);
    for (; t + 2 <= n_tokens; t += 2)
        t2_rows(y + t * ldy, ldy, w, x + t * n_cols, xq + t, w_scale, n_rows, n_cols, 4, 2);
    if (t < n_tokens)
        t2_gemv(y + t * ldy, w, x + t * n_cols, xq + t, w_scale, n_rows, n_cols);
}

/* ---- 16 lanes -------------------------------------------------------------------------------- */

typedef __m512 lanes;

#define lanes_add _mm512_add_ps
#define lanes_sub _mm512_sub_ps
#define lanes_mul _mm512_mul_ps
#define lanes_div _mm512_div_ps
#define lanes_max _mm512_max_ps
#define lanes_min _mm512_min_ps
#define lanes_fma _mm512_fmadd_ps
#define lanes_set _mm512_set1_ps
#define lanes_zero _mm512_setzero_ps
#define lanes_load _mm512_loadu_ps
#define lanes_store _mm512_storeu_ps

INLINE lanes lanes_exponent(lanes t)
{
    const __m512i e = _mm512_add_epi32(_mm512_castps_si512(t), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(e, 23));
}

INLINE lanes lanes_from_f16(const uint8_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

INLINE lanes lanes_from_bf16(const uint8_t *p)
{
    const __m512i h = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(h, 16));
}

INLINE lanes lanes_abs_max(lanes m, lanes x)
{
    const __m512i bits = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));
    return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(m), bits));
}

INLINE void lanes_to_f16(uint8_t *p, lanes x)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

typedef __m512i int_lanes;
#define int_lanes_zero _mm512_setzero_si512
#define int_lanes_sum _mm512_reduce_add_epi32

INLINE int_lanes lanes_round(int8_t *q, lanes x, int_lanes sums)
{
    const __m512i v = _mm512_cvtps_epi32(x);
    _mm_storeu_si128((__m128i *)q, _mm512_cvtepi32_epi8(v));
    return _mm512_add_epi32(sums, v);
}

#include "x86_bytes.inc"

INLINE lanes lanes_from_i8(bytes16 q)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(q));
}

/* In quarters of four lanes, a: [0 1 2 3] -> [0+2 1+3], and the same of b behind it. */
INLINE __m512 fold2(lanes a, lanes b)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
}

INLINE void fold4(float *out, lanes a, lanes b, lanes c, lanes d)
{
    const __m512 x = fold2(a, b), y = fold2(c, d);
    const __m512 by4 =
        _mm512_add_ps(_mm512_shuffle_f32x4(x, y, 0x88), _mm512_shuffle_f32x4(x, y, 0xdd));
    const __m512 by2 = _mm512_add_ps(by4, _mm512_permute_ps(by4, 0x0e));
    const __m512 by1 = _mm512_add_ps(by2, _mm512_permute_ps(by2, 0x01));
    const __m512i quarters = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm_storeu_ps(out, _mm512_castps512_ps128(_mm512_permutexvar_ps(quarters, by1)));
}

enum { SHARED_ROWS = 4, SHARED_TOKENS = 4, WEIGHED_QUERIES = 4, WEIGHED_LANES = 4 };

#include "lanes.inc"

/* ---- Probe ----------------------------------------------------------------------------------- */

#define CHAIN __m512i
#define CHAIN_ZERO _mm512_setzero_si512()
#define ONES __m512i
#define ONES_SET _mm512_set1_epi8(1)
#define STEP(sums) __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(sums) : "v"(ones))

INLINE uint64_t chain_sum(__m512i v)
{
    return (uint64_t)_mm512_reduce_add_epi32(v);
}

#include "probe_macs.inc"

/* ---- Table ----------------------------------------------------------------------------------- */

void trit_kernels_init_avx512(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    k->probe_macs = probe_macs;
    init_lanes(k);
}
