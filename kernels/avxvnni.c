/* avxvnni.c - the ternary product for x86 with AVX-VNNI (Alder Lake 2021, Zen 5 and later laptops).
 *
 * dpbusd multiplies unsigned codes by signed activations and adds four products at once into 32
 * bits: no 16-bit sums to widen, and less than half of avx2.c's instructions. */
#include "kernels.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

/* How far ahead weights are asked for: rows are contiguous, so beyond the end of a row is the
 * beginning of the next tile. */
enum { PREFETCH_BYTES = 2048 };

INLINE int32_t sum_epi32(__m256i v)
{
    const __m128i by4 = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const __m128i by2 = _mm_add_epi32(by4, _mm_unpackhi_epi64(by4, by4));
    return _mm_cvtsi128_si32(_mm_add_epi32(by2, _mm_shuffle_epi32(by2, 1)));
}

/* A tile of n_r rows by n_t tokens, both compile-time constants with n_r*n_t <= 8. Plane p of a
 * block holds the codes of its weights 32p..32p+31, taken from the top bits down. */
INLINE void t2_tile(float *y, size_t ldy, const uint8_t *w, size_t row_bytes, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_cols, size_t n_r, size_t n_t)
{
    const __m256i three = _mm256_set1_epi8(3);
    __m256i acc[8];

    for (size_t a = 0; a < n_r * n_t; a++)
        acc[a] = _mm256_setzero_si256();
    for (size_t b = 0; b < n_cols / TRIT_T2_BLOCK; b++) {
        __m256i codes[4];
        for (size_t r = 0; r < n_r; r++) {
            const uint8_t *block = w + r * row_bytes + b * TRIT_T2_BLOCK_BYTES;
            codes[r] = _mm256_loadu_si256((const __m256i *)block);
            if (n_t == 1)
                _mm_prefetch((const char *)block + PREFETCH_BYTES, _MM_HINT_T0);
        }
#pragma GCC unroll 4
        for (int p = 0; p < 4; p++) {
            __m256i plane[4];
            for (size_t r = 0; r < n_r; r++)
                plane[r] = _mm256_and_si256(_mm256_srli_epi16(codes[r], 6 - 2 * p), three);
            for (size_t t = 0; t < n_t; t++) {
                const int8_t *xp = x + t * n_cols + b * TRIT_T2_BLOCK + 32 * (size_t)p;
                const __m256i xv = _mm256_loadu_si256((const __m256i *)xp);
                for (size_t r = 0; r < n_r; r++)
                    acc[r * n_t + t] = _mm256_dpbusd_avx_epi32(acc[r * n_t + t], plane[r], xv);
            }
        }
    }
    for (size_t r = 0; r < n_r; r++)
        for (size_t t = 0; t < n_t; t++) {
            const int32_t d = sum_epi32(acc[r * n_t + t]);
            y[t * ldy + r] = (float)(d - xq[t].sum) * (w_scale / xq[t].s);
        }
}

/* All rows for n_t tokens, n_r at a time: the tokens' activations stay in the first-level cache. */
INLINE void t2_rows(float *y, size_t ldy, const uint8_t *w, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_rows, size_t n_cols,
                    size_t n_r, size_t n_t)
{
    const size_t row_bytes = n_cols / 4;
    size_t r = 0;

    for (; r + n_r <= n_rows; r += n_r)
        t2_tile(y + r, ldy, w + r * row_bytes, row_bytes, x, xq, w_scale, n_cols, n_r, n_t);
    for (; r < n_rows; r++)
        t2_tile(y + r, ldy, w + r * row_bytes, row_bytes, x, xq, w_scale, n_cols, 1, n_t);
}

static void t2_gemm(float *y, size_t ldy, const uint8_t *w, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_rows, size_t n_cols,
                    size_t n_tokens)
{
    size_t t = 0;

    for (; t + 4 <= n_tokens; t += 4)
        t2_rows(y + t * ldy, ldy, w, x + t * n_cols, xq + t, w_scale, n_rows, n_cols, 2, 4);
    for (; t < n_tokens; t++)
        t2_rows(y + t * ldy, ldy, w, x + t * n_cols, xq + t, w_scale, n_rows, n_cols, 4, 1);
}

void trit_kernels_init_avxvnni(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
}
