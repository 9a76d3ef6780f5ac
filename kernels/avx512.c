/* avx512.c - the ternary product and F16 matrices for x86 with AVX-512 and VNNI (Ice Lake 2019,
 * Zen 4 2022 and later).
 *
 * A zmm register holds 32 bytes of two rows, so that the activations of a plane, 32 bytes too, are
 * broadcast by the load and the layout of neither has to change. The 16 lanes of the lane rule are
 * one zmm register. */
#include "kernels.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

/* ---- Ternary --------------------------------------------------------------------------------- */

/* How far ahead weights are asked for when they stream from memory (one token). */
enum { PREFETCH_BYTES = 2048 };

/* Block b of a row in the low half and of the next row in the high half (or code 0 there, whose sum
 * is not used). */
INLINE __m512i load_pair(const uint8_t *w, size_t row_bytes, size_t b, bool both)
{
    const uint8_t *p = w + b * TRIT_T2_BLOCK_BYTES;
    const __m512i low = _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)p));
    return both ? _mm512_inserti64x4(low, _mm256_loadu_si256((const __m256i *)(p + row_bytes)), 1)
                : low;
}

INLINE int32_t sum_epi32(__m256i v)
{
    const __m128i by4 = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const __m128i by2 = _mm_add_epi32(by4, _mm_unpackhi_epi64(by4, by4));
    return _mm_cvtsi128_si32(_mm_add_epi32(by2, _mm_shuffle_epi32(by2, 1)));
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
            if (n_t == 1) {
                const char *ahead = (const char *)pair + b * TRIT_T2_BLOCK_BYTES + PREFETCH_BYTES;
                _mm_prefetch(ahead, _MM_HINT_T0);
                _mm_prefetch(ahead + row_bytes, _MM_HINT_T0);
            }
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
    for (size_t t = 0; t < n_t; t++) {
        const float scale = w_scale / xq[t].s;
        for (size_t i = 0; i < n_p; i++) {
            const __m512i a = acc[i * n_t + t];
            float *out = y + t * ldy + 2 * i;
            out[0] = (float)(sum_epi32(_mm512_castsi512_si256(a)) - xq[t].sum) * scale;
            if (both)
                out[1] = (float)(sum_epi32(_mm512_extracti64x4_epi64(a, 1)) - xq[t].sum) * scale;
        }
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
        t2_rows(y + t * ldy, ldy, w, x + t * n_cols, xq + t, w_scale, n_rows, n_cols, 4, 1);
}

/* ---- F16 matrices ---------------------------------------------------------------------------- */

INLINE float fold_lanes(__m512 l)
{
    const __m256 by8 = _mm256_add_ps(_mm512_castps512_ps256(l), _mm512_extractf32x8_ps(l, 1));
    const __m128 by4 = _mm_add_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
    const __m128 by2 = _mm_add_ps(by4, _mm_movehl_ps(by4, by4));
    return _mm_cvtss_f32(_mm_add_ss(by2, _mm_movehdup_ps(by2)));
}

/* A tile of n_r rows by n_t tokens, n_r*n_t <= 16. The tail is loaded by mask: +0 beyond it. */
INLINE void f16_tile(float *y, size_t ldy, const uint8_t *w, const float *x, size_t ldx,
                     size_t n_cols, size_t n_r, size_t n_t)
{
    __m512 acc[16];

    for (size_t a = 0; a < n_r * n_t; a++)
        acc[a] = _mm512_setzero_ps();
    for (size_t i = 0; i < n_cols; i += TRIT_LANES) {
        const size_t left = n_cols - i;
        const __mmask16 in = (__mmask16)(left < TRIT_LANES ? (1u << left) - 1u : 0xffffu);
        __m512 xv[4];
        for (size_t t = 0; t < n_t; t++)
            xv[t] = _mm512_maskz_loadu_ps(in, x + t * ldx + i);
        for (size_t r = 0; r < n_r; r++) {
            const __m256i h = _mm256_maskz_loadu_epi16(in, w + 2 * (r * n_cols + i));
            const __m512 wv = _mm512_cvtph_ps(h);
            for (size_t t = 0; t < n_t; t++)
                acc[r * n_t + t] = _mm512_fmadd_ps(wv, xv[t], acc[r * n_t + t]);
        }
    }
    for (size_t r = 0; r < n_r; r++)
        for (size_t t = 0; t < n_t; t++)
            y[t * ldy + r] = fold_lanes(acc[r * n_t + t]);
}

static void gemm_f16(float *y, size_t ldy, const void *weights, const float *x, size_t ldx,
                     size_t n_rows, size_t n_cols, size_t n_tokens)
{
    const uint8_t *w = weights;
    const size_t r4 = n_rows / 4 * 4;
    size_t t = 0;

    for (; t + 4 <= n_tokens; t += 4) {
        for (size_t r = 0; r < r4; r += 4)
            f16_tile(y + t * ldy + r, ldy, w + 2 * r * n_cols, x + t * ldx, ldx, n_cols, 4, 4);
        for (size_t r = r4; r < n_rows; r++)
            f16_tile(y + t * ldy + r, ldy, w + 2 * r * n_cols, x + t * ldx, ldx, n_cols, 1, 4);
    }
    for (; t < n_tokens; t++) {
        for (size_t r = 0; r < r4; r += 4)
            f16_tile(y + t * ldy + r, ldy, w + 2 * r * n_cols, x + t * ldx, ldx, n_cols, 4, 1);
        for (size_t r = r4; r < n_rows; r++)
            f16_tile(y + t * ldy + r, ldy, w + 2 * r * n_cols, x + t * ldx, ldx, n_cols, 1, 1);
    }
}

/* ---- Table ----------------------------------------------------------------------------------- */

void trit_kernels_init_avx512(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    k->gemm[TRIT_FORMAT_F16] = gemm_f16;
}
