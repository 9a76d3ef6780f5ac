/* avx2.c - kernels for x86 with AVX2, FMA and F16C (Haswell 2013, Zen 2017 and later).
 *
 * The 16 lanes of the lane rule are two ymm registers. Every float format and every kind of key or
 * value row is described by one small function that loads 16 consecutive elements as f32; matrix
 * products, decoding and attention are written once over it and inlined per format.
 */
#include "kernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "blocks.h"
#include "expf.h"
#include "half.h"

#define INLINE static inline __attribute__((always_inline))

struct lanes {
    __m256 lo, hi; /* lanes 0..7 and 8..15; also 16 consecutive elements */
};

typedef struct lanes (*load16_fn)(const void *row, size_t i);

/* ---- Loading 16 elements ---------------------------------------------------------------------
 * row: start of the row; i: index of the first element, a multiple of 16. */

INLINE struct lanes load16_f32(const void *row, size_t i)
{
    const float *p = (const float *)row + i;
    return (struct lanes){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

INLINE struct lanes load16_f16(const void *row, size_t i)
{
    const uint8_t *p = (const uint8_t *)row + 2 * i;
    return (struct lanes){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)),
                          _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 16)))};
}

INLINE __m256 bf16_to_ps(__m128i h)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

INLINE struct lanes load16_bf16(const void *row, size_t i)
{
    const uint8_t *p = (const uint8_t *)row + 2 * i;
    return (struct lanes){bf16_to_ps(_mm_loadu_si128((const __m128i *)p)),
                          bf16_to_ps(_mm_loadu_si128((const __m128i *)(p + 16)))};
}

INLINE struct lanes i8_to_ps(__m128i q)
{
    return (struct lanes){_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(q)),
                          _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(q, 8)))};
}

INLINE struct lanes load16_i8(const void *row, size_t i)
{
    return i8_to_ps(_mm_loadu_si128((const __m128i *)((const uint8_t *)row + i)));
}

INLINE struct lanes scaled(struct lanes x, float d)
{
    const __m256 v = _mm256_set1_ps(d);
    return (struct lanes){_mm256_mul_ps(v, x.lo), _mm256_mul_ps(v, x.hi)};
}

INLINE __m128i shift_mask(const uint8_t *p, int shift, char mask)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)p);
    return _mm_and_si128(_mm_srl_epi16(v, _mm_cvtsi32_si128(shift)), _mm_set1_epi8(mask));
}

INLINE struct lanes load16_q8_0(const void *row, size_t i)
{
    const uint8_t *b = (const uint8_t *)row + i / Q8_0_BLOCK * Q8_0_BYTES;
    return scaled(load16_i8(b + 2, i % 32), trit_f16_to_f32(trit_load_u16(b)));
}

INLINE struct lanes load16_q4_0(const void *row, size_t i)
{
    const uint8_t *b = (const uint8_t *)row + i / Q4_0_BLOCK * Q4_0_BYTES;
    const __m128i q = shift_mask(b + 2, i % 32 ? 4 : 0, 15);
    return scaled(i8_to_ps(_mm_sub_epi8(q, _mm_set1_epi8(8))), trit_f16_to_f32(trit_load_u16(b)));
}

INLINE struct lanes load16_q4_k(const void *row, size_t i)
{
    const uint8_t *b = (const uint8_t *)row + i / K_BLOCK * Q4_K_BYTES;
    const size_t j = i % K_BLOCK / 32;
    const __m128i q = shift_mask(b + 16 + j / 2 * 32 + i % 32, j % 2 ? 4 : 0, 15);
    int scale, min;
    q4_k_scale(b + 4, j, &scale, &min);
    const struct lanes dq = scaled(i8_to_ps(q), trit_f16_to_f32(trit_load_u16(b)) * (float)scale);
    const __m256 m = _mm256_set1_ps(trit_f16_to_f32(trit_load_u16(b + 2)) * (float)min);
    return (struct lanes){_mm256_sub_ps(dq.lo, m), _mm256_sub_ps(dq.hi, m)};
}

INLINE struct lanes load16_q6_k(const void *row, size_t i)
{
    const uint8_t *b = (const uint8_t *)row + i / K_BLOCK * Q6_K_BYTES;
    const size_t g = i % 256 / 32, half = i % 32;
    const __m128i low = shift_mask(b + g / 4 * 64 + g % 2 * 32 + half, (int)(g % 4 / 2 * 4), 15);
    const __m128i high = shift_mask(b + 128 + g / 4 * 32 + half, (int)(g % 4 * 2), 3);
    const __m128i q = _mm_or_si128(low, _mm_slli_epi16(high, 4));
    const float scale = (float)(int8_t)b[192 + 2 * g + half / 16];
    return scaled(i8_to_ps(_mm_sub_epi8(q, _mm_set1_epi8(32))),
                  trit_f16_to_f32(trit_load_u16(b + 208)) * scale);
}

/* The last n < 16 elements, then +0. Only for formats whose element is elem bytes by itself. */
INLINE struct lanes load_tail(load16_fn load, size_t elem, const void *row, size_t i, size_t n)
{
    uint8_t buf[TRIT_LANES * sizeof(float)] = {0};
    memcpy(buf, (const uint8_t *)row + i * elem, n * elem);
    return load(buf, 0);
}

/* ---- The lane rule --------------------------------------------------------------------------- */

INLINE struct lanes fma_lanes(struct lanes a, struct lanes b, struct lanes acc)
{
    return (struct lanes){_mm256_fmadd_ps(a.lo, b.lo, acc.lo), _mm256_fmadd_ps(a.hi, b.hi, acc.hi)};
}

INLINE struct lanes zero_lanes(void)
{
    return (struct lanes){_mm256_setzero_ps(), _mm256_setzero_ps()};
}

INLINE float fold_lanes(struct lanes l)
{
    const __m256 by8 = _mm256_add_ps(l.lo, l.hi);
    const __m128 by4 = _mm_add_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
    const __m128 by2 = _mm_add_ps(by4, _mm_movehl_ps(by4, by4));
    return _mm_cvtss_f32(_mm_add_ss(by2, _mm_movehdup_ps(by2)));
}

/* ---- Float matrices -------------------------------------------------------------------------- */

/* A tile of n_r rows by n_t tokens, both compile-time constants with n_r*n_t <= 4. */
INLINE void gemm_tile(load16_fn load, size_t elem, float *y, size_t ldy, const uint8_t *w,
                      size_t row_bytes, const float *x, size_t ldx, size_t n_cols, size_t n_r,
                      size_t n_t)
{
    const size_t whole = n_cols / TRIT_LANES * TRIT_LANES, rest = elem ? n_cols - whole : 0;
    struct lanes acc[4];

    for (size_t a = 0; a < n_r * n_t; a++)
        acc[a] = zero_lanes();
    for (size_t i = 0; i < whole; i += TRIT_LANES)
        for (size_t r = 0; r < n_r; r++) {
            const struct lanes wl = load(w + r * row_bytes, i);
            for (size_t t = 0; t < n_t; t++)
                acc[r * n_t + t] = fma_lanes(wl, load16_f32(x + t * ldx, i), acc[r * n_t + t]);
        }
    if (rest)
        for (size_t r = 0; r < n_r; r++) {
            const struct lanes wl = load_tail(load, elem, w + r * row_bytes, whole, rest);
            for (size_t t = 0; t < n_t; t++) {
                const struct lanes xl = load_tail(load16_f32, 4, x + t * ldx, whole, rest);
                acc[r * n_t + t] = fma_lanes(wl, xl, acc[r * n_t + t]);
            }
        }
    for (size_t r = 0; r < n_r; r++)
        for (size_t t = 0; t < n_t; t++)
            y[t * ldy + r] = fold_lanes(acc[r * n_t + t]);
}

/* Four tokens share a row's decoding; a lone token goes through four rows at once, which hides the
 * latency of the fma chain. */
INLINE void gemm_any(load16_fn load, size_t elem, float *y, size_t ldy, const void *weights,
                     size_t row_bytes, const float *x, size_t ldx, size_t n_rows, size_t n_cols,
                     size_t n_tokens)
{
    const uint8_t *w = weights;
    const size_t t4 = n_tokens / 4 * 4, r4 = n_rows / 4 * 4;

    for (size_t r = 0; r < n_rows; r++)
        for (size_t t = 0; t < t4; t += 4)
            gemm_tile(load, elem, y + t * ldy + r, ldy, w + r * row_bytes, row_bytes, x + t * ldx,
                      ldx, n_cols, 1, 4);
    for (size_t t = t4; t < n_tokens; t++) {
        for (size_t r = 0; r < r4; r += 4)
            gemm_tile(load, elem, y + t * ldy + r, ldy, w + r * row_bytes, row_bytes, x + t * ldx,
                      ldx, n_cols, 4, 1);
        for (size_t r = r4; r < n_rows; r++)
            gemm_tile(load, elem, y + t * ldy + r, ldy, w + r * row_bytes, row_bytes, x + t * ldx,
                      ldx, n_cols, 1, 1);
    }
}

INLINE void decode_any(load16_fn load, size_t elem, float *y, const void *w, size_t n)
{
    size_t i = 0;
    for (; i + TRIT_LANES <= n; i += TRIT_LANES) {
        const struct lanes l = load(w, i);
        _mm256_storeu_ps(y + i, l.lo);
        _mm256_storeu_ps(y + i + 8, l.hi);
    }
    if (elem && i < n) {
        const struct lanes l = load_tail(load, elem, w, i, n - i);
        float buf[TRIT_LANES];
        _mm256_storeu_ps(buf, l.lo);
        _mm256_storeu_ps(buf + 8, l.hi);
        memcpy(y + i, buf, (n - i) * sizeof *y);
    }
}

/* elem: bytes of one element, 0 for block formats, whose rows have no tail. */
#define DEFINE_FORMAT(name, FORMAT, elem)                                                          \
    static void decode_##name(float *y, const void *w, size_t n)                                   \
    {                                                                                              \
        decode_any(load16_##name, elem, y, w, n);                                                  \
    }                                                                                              \
    static void gemm_##name(float *y, size_t ldy, const void *w, const float *x, size_t ldx,       \
                            size_t n_rows, size_t n_cols, size_t n_tokens)                         \
    {                                                                                              \
        gemm_any(load16_##name, elem, y, ldy, w, trit_format_bytes(FORMAT, n_cols), x, ldx,        \
                 n_rows, n_cols, n_tokens);                                                        \
    }
DEFINE_FORMAT(f32, TRIT_FORMAT_F32, 4)
DEFINE_FORMAT(f16, TRIT_FORMAT_F16, 2)
DEFINE_FORMAT(bf16, TRIT_FORMAT_BF16, 2)
DEFINE_FORMAT(q8_0, TRIT_FORMAT_Q8_0, 0)
DEFINE_FORMAT(q4_0, TRIT_FORMAT_Q4_0, 0)
DEFINE_FORMAT(q4_k, TRIT_FORMAT_Q4_K, 0)
DEFINE_FORMAT(q6_k, TRIT_FORMAT_Q6_K, 0)
#undef DEFINE_FORMAT

/* ---- Activation rows ------------------------------------------------------------------------- */

static uint32_t abs_max_bits(const float *x, size_t n)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i m = _mm256_setzero_si256();
    uint32_t part[8], top = 0;
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        const __m256i u = _mm256_loadu_si256((const __m256i *)(x + i));
        m = _mm256_max_epi32(m, _mm256_and_si256(u, magnitude));
    }
    _mm256_storeu_si256((__m256i *)part, m);
    for (int j = 0; j < 8; j++)
        top = part[j] > top ? part[j] : top;
    for (; i < n; i++) {
        const uint32_t a = trit_f32_bits(x[i]) & 0x7fffffffu;
        top = a > top ? a : top;
    }
    return top;
}

/* q = rint(x*s) for finite x with |x*s| <= 127; returns the sum of q. */
static int32_t round_row(int8_t *q, const float *x, float s, size_t n)
{
    const __m256 scale = _mm256_set1_ps(s);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i sums = _mm256_setzero_si256();
    int32_t part[8], sum = 0;
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        __m256i v[4];
        for (int j = 0; j < 4; j++) {
            v[j] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i + 8 * j), scale));
            sums = _mm256_add_epi32(sums, v[j]);
        }
        const __m256i packed =
            _mm256_packs_epi16(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
        _mm256_storeu_si256((__m256i *)(q + i), _mm256_permutevar8x32_epi32(packed, order));
    }
    _mm256_storeu_si256((__m256i *)part, sums);
    for (int j = 0; j < 8; j++)
        sum += part[j];
    for (; i < n; i++) {
        q[i] = (int8_t)_mm_cvtss_si32(_mm_set_ss(x[i] * s));
        sum += q[i];
    }
    return sum;
}

static bool quantize_row(int8_t *q, struct trit_q8 *out, const float *x, size_t n, size_t n_padded,
                         float eps, float q_max)
{
    const uint32_t bits = abs_max_bits(x, n);
    const bool finite = bits < 0x7f800000u;
    const float top = trit_bits_f32(bits);

    out->s = q_max / (finite && top > eps ? top : eps);
    out->sum = 0;
    memset(q + n, 0, n_padded - n);
    if (finite)
        out->sum = round_row(q, x, out->s, n);
    else
        memset(q, 0, n);
    return finite;
}

/* ---- Ternary ---------------------------------------------------------------------------------
 *
 * maddubs multiplies unsigned codes by signed activations and adds pairs into 16 bits. A pair is at
 * most 2*3*127 = 762 (code 3 may occur in a hostile file), so 40 of them, ten blocks, fit before
 * they must be widened to 32 bits. */
enum { T2_WIDEN_BLOCKS = 10 };

/* How far ahead weights are asked for when they stream from memory (one token): rows are
 * contiguous, so beyond the end of a row is the beginning of the next tile. */
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
    const __m256i three = _mm256_set1_epi8(3), ones = _mm256_set1_epi16(1);
    const size_t n_blocks = n_cols / TRIT_T2_BLOCK;
    __m256i acc32[8];

    for (size_t a = 0; a < n_r * n_t; a++)
        acc32[a] = _mm256_setzero_si256();
    for (size_t b = 0; b < n_blocks;) {
        const size_t end = n_blocks - b < T2_WIDEN_BLOCKS ? n_blocks : b + T2_WIDEN_BLOCKS;
        __m256i acc16[8];
        for (size_t a = 0; a < n_r * n_t; a++)
            acc16[a] = _mm256_setzero_si256();
        for (; b < end; b++) {
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
                        acc16[r * n_t + t] = _mm256_add_epi16(acc16[r * n_t + t],
                                                              _mm256_maddubs_epi16(plane[r], xv));
                }
            }
        }
        for (size_t a = 0; a < n_r * n_t; a++)
            acc32[a] = _mm256_add_epi32(acc32[a], _mm256_madd_epi16(acc16[a], ones));
    }
    for (size_t r = 0; r < n_r; r++)
        for (size_t t = 0; t < n_t; t++) {
            const int32_t d = sum_epi32(acc32[r * n_t + t]);
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

/* ---- Norm, activation ------------------------------------------------------------------------ */

static bool rmsnorm(float *y, const float *x, const float *w, size_t n, float eps)
{
    float ss;
    gemm_tile(load16_f32, 4, &ss, 1, (const uint8_t *)x, 0, x, 0, n, 1, 1);
    const float r = 1.0f / sqrtf(ss / (float)n + eps);
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * r * w[i];
    return isfinite(ss);
}

INLINE __m256 exp_ps(__m256 x)
{
    const __m256 magic = _mm256_set1_ps(TRIT_EXP_MAGIC), one = _mm256_set1_ps(1.0f);
    x = _mm256_min_ps(_mm256_set1_ps(TRIT_EXP_MAX), x); /* this way round a NaN stays */
    x = _mm256_max_ps(_mm256_set1_ps(TRIT_EXP_MIN), x);
    const __m256 t = _mm256_fmadd_ps(x, _mm256_set1_ps(TRIT_EXP_LOG2E), magic);
    const __m256 n = _mm256_sub_ps(t, magic);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-TRIT_EXP_LN2_HI), x);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(-TRIT_EXP_LN2_LO), r);
    __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(TRIT_EXP_C7), r, _mm256_set1_ps(TRIT_EXP_C6));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(TRIT_EXP_C5));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(TRIT_EXP_C4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(TRIT_EXP_C3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(TRIT_EXP_C2));
    p = _mm256_fmadd_ps(p, r, one);
    p = _mm256_fmadd_ps(p, r, one);
    const __m256i e = _mm256_add_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(127));
    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(e, 23)));
}

INLINE __m256 silu_mul(__m256 g, __m256 u)
{
    const __m256 e = exp_ps(_mm256_xor_ps(g, _mm256_set1_ps(-0.0f)));
    return _mm256_mul_ps(_mm256_div_ps(g, _mm256_add_ps(_mm256_set1_ps(1.0f), e)), u);
}

static void glu_silu(float *y, const float *gate, const float *up, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, silu_mul(_mm256_loadu_ps(gate + i), _mm256_loadu_ps(up + i)));
    if (i < n) {
        float g[8] = {0}, u[8] = {0};
        memcpy(g, gate + i, (n - i) * sizeof *g);
        memcpy(u, up + i, (n - i) * sizeof *u);
        _mm256_storeu_ps(g, silu_mul(_mm256_loadu_ps(g), _mm256_loadu_ps(u)));
        memcpy(y + i, g, (n - i) * sizeof *g);
    }
}

/* ---- Key and value rows ---------------------------------------------------------------------- */

INLINE __m128i saturate_f16(__m256 x)
{
    const __m256 top = _mm256_set1_ps(65504.0f), bottom = _mm256_set1_ps(-65504.0f);
    x = _mm256_max_ps(bottom, _mm256_min_ps(top, x));
    return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}

static void kv_store_f16(void *dst, float *row_scale, const float *x, size_t n)
{
    uint8_t *p = dst;
    size_t i = 0;
    (void)row_scale;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(p + 2 * i), saturate_f16(_mm256_loadu_ps(x + i)));
    if (i < n) {
        float v[8] = {0};
        uint16_t h[8];
        memcpy(v, x + i, (n - i) * sizeof *v);
        _mm_storeu_si128((__m128i *)h, saturate_f16(_mm256_loadu_ps(v)));
        memcpy(p + 2 * i, h, (n - i) * sizeof *h);
    }
}

static void kv_store_i8(void *dst, float *row_scale, const float *x, size_t n)
{
    const uint32_t bits = abs_max_bits(x, n);
    const float m = trit_bits_f32(bits);

    if (m < TRIT_KV_TINY || bits >= 0x7f800000u) {
        *row_scale = bits < 0x7f800000u ? 0.0f : NAN;
        memset(dst, 0, n);
        return;
    }
    *row_scale = m / 127.0f;
    round_row(dst, x, 127.0f / m, n);
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* p[i] = exp(p[i] - max) in place; p has room for whole lanes. */
static struct trit_softmax softmax_block(float *p, size_t n)
{
    const size_t n_padded = (n + TRIT_LANES - 1) / TRIT_LANES * TRIT_LANES;
    struct trit_softmax sm = {.max = p[0]};
    struct lanes sum = zero_lanes();

    for (size_t i = 1; i < n; i++)
        sm.max = sm.max > p[i] ? sm.max : p[i];
    for (size_t i = n; i < n_padded; i++)
        p[i] = sm.max;
    const __m256 max = _mm256_set1_ps(sm.max);
    for (size_t i = 0; i < n_padded; i += 8)
        _mm256_storeu_ps(p + i, exp_ps(_mm256_sub_ps(_mm256_loadu_ps(p + i), max)));
    for (size_t i = n; i < n_padded; i++)
        p[i] = 0.0f;
    for (size_t i = 0; i < n_padded; i += TRIT_LANES) {
        sum.lo = _mm256_add_ps(sum.lo, _mm256_loadu_ps(p + i));
        sum.hi = _mm256_add_ps(sum.hi, _mm256_loadu_ps(p + i + 8));
    }
    sm.sum = fold_lanes(sum);
    return sm;
}

/* acc[i..i+16*n) = the fma chains over the keys; n <= 4, constant. */
INLINE void weigh_values(load16_fn load, size_t row_bytes, float *acc, const float *p,
                         const uint8_t *v, size_t n_keys, size_t i, size_t n)
{
    struct lanes a[4];
    for (size_t c = 0; c < n; c++)
        a[c] = zero_lanes();
    for (size_t j = 0; j < n_keys; j++) {
        const __m256 pj = _mm256_set1_ps(p[j]);
        for (size_t c = 0; c < n; c++)
            a[c] = fma_lanes((struct lanes){pj, pj}, load(v + j * row_bytes, i + TRIT_LANES * c),
                             a[c]);
    }
    for (size_t c = 0; c < n; c++) {
        _mm256_storeu_ps(acc + i + TRIT_LANES * c, a[c].lo);
        _mm256_storeu_ps(acc + i + TRIT_LANES * c + 8, a[c].hi);
    }
}

/* The last n < 16 elements of each value row. */
INLINE void weigh_values_tail(load16_fn load, size_t elem, size_t row_bytes, float *acc,
                              const float *p, const uint8_t *v, size_t n_keys, size_t i, size_t n)
{
    struct lanes a = zero_lanes();
    float buf[TRIT_LANES];
    for (size_t j = 0; j < n_keys; j++) {
        const __m256 pj = _mm256_set1_ps(p[j]);
        a = fma_lanes((struct lanes){pj, pj}, load_tail(load, elem, v + j * row_bytes, i, n), a);
    }
    _mm256_storeu_ps(buf, a.lo);
    _mm256_storeu_ps(buf + 8, a.hi);
    memcpy(acc + i, buf, n * sizeof *acc);
}

/* One block over any row type; is_scaled is constant. Scores are products of the key "matrix" and
 * the query. */
INLINE void attn_any(load16_fn load, size_t elem, bool is_scaled, float *acc,
                     struct trit_softmax *sm, const struct trit_attn_shape *shape, const float *q,
                     const void *k, const float *k_scale, const void *v, const float *v_scale)
{
    const size_t d = shape->head_dim, row_bytes = d * elem, n_keys = shape->n_keys;
    float p[TRIT_ATTN_BLOCK];
    size_t i = 0;

    gemm_any(load, elem, p, n_keys, k, row_bytes, q, d, n_keys, d, 1);
    for (size_t j = 0; j < n_keys; j++)
        p[j] = (is_scaled ? p[j] * k_scale[j] : p[j]) * shape->scale;
    *sm = softmax_block(p, n_keys);
    if (is_scaled)
        for (size_t j = 0; j < n_keys; j++)
            p[j] *= v_scale[j];

    for (; i + 4 * TRIT_LANES <= d; i += 4 * TRIT_LANES)
        weigh_values(load, row_bytes, acc, p, v, n_keys, i, 4);
    for (; i + TRIT_LANES <= d; i += TRIT_LANES)
        weigh_values(load, row_bytes, acc, p, v, n_keys, i, 1);
    if (i < d)
        weigh_values_tail(load, elem, row_bytes, acc, p, v, n_keys, i, d - i);
}

#define DEFINE_ATTN(name, elem, is_scaled)                                                         \
    static void attn_block_##name(                                                                 \
        float *acc, struct trit_softmax *sm, const struct trit_attn_shape *shape, const float *q,  \
        const void *k, const float *k_scale, const void *v, const float *v_scale)                  \
    {                                                                                              \
        attn_any(load16_##name, elem, is_scaled, acc, sm, shape, q, k, k_scale, v, v_scale);       \
    }
DEFINE_ATTN(f32, 4, false)
DEFINE_ATTN(f16, 2, false)
DEFINE_ATTN(i8, 1, true)
#undef DEFINE_ATTN

static void attn_merge(float *acc, struct trit_softmax *sm, const float *block_acc,
                       const struct trit_softmax *block_sm, size_t head_dim)
{
    const float max = sm->max > block_sm->max ? sm->max : block_sm->max;
    const __m256 a = exp_ps(_mm256_set1_ps(sm->max - max));
    const __m256 b = exp_ps(_mm256_set1_ps(block_sm->max - max));
    const float a1 = _mm256_cvtss_f32(a), b1 = _mm256_cvtss_f32(b);
    size_t i = 0;

    sm->sum = fmaf(block_sm->sum, b1, sm->sum * a1);
    sm->max = max;
    for (; i + 8 <= head_dim; i += 8)
        _mm256_storeu_ps(acc + i, _mm256_fmadd_ps(_mm256_loadu_ps(block_acc + i), b,
                                                  _mm256_mul_ps(_mm256_loadu_ps(acc + i), a)));
    for (; i < head_dim; i++)
        acc[i] = fmaf(block_acc[i], b1, acc[i] * a1);
}

/* ---- Table -----------------------------------------------------------------------------------
 * RoPE, ReLU2 and storing f32 rows stay as the compiler vectorised them in scalar.c. */

void trit_kernels_init_avx2(struct trit_kernels *k)
{
    k->quantize_row = quantize_row;
    k->t2_gemm = t2_gemm;
    k->decode[TRIT_FORMAT_F32] = decode_f32;
    k->decode[TRIT_FORMAT_F16] = decode_f16;
    k->decode[TRIT_FORMAT_BF16] = decode_bf16;
    k->decode[TRIT_FORMAT_Q8_0] = decode_q8_0;
    k->decode[TRIT_FORMAT_Q4_0] = decode_q4_0;
    k->decode[TRIT_FORMAT_Q4_K] = decode_q4_k;
    k->decode[TRIT_FORMAT_Q6_K] = decode_q6_k;
    k->gemm[TRIT_FORMAT_F32] = gemm_f32;
    k->gemm[TRIT_FORMAT_F16] = gemm_f16;
    k->gemm[TRIT_FORMAT_BF16] = gemm_bf16;
    k->gemm[TRIT_FORMAT_Q8_0] = gemm_q8_0;
    k->gemm[TRIT_FORMAT_Q4_0] = gemm_q4_0;
    k->gemm[TRIT_FORMAT_Q4_K] = gemm_q4_k;
    k->gemm[TRIT_FORMAT_Q6_K] = gemm_q6_k;
    k->rmsnorm = rmsnorm;
    k->glu[TRIT_ACT_SILU] = glu_silu;
    k->kv_store[TRIT_KV_F16] = kv_store_f16;
    k->kv_store[TRIT_KV_I8] = kv_store_i8;
    k->attn_block[TRIT_KV_F16] = attn_block_f16;
    k->attn_block[TRIT_KV_F32] = attn_block_f32;
    k->attn_block[TRIT_KV_I8] = attn_block_i8;
    k->attn_merge = attn_merge;
}
