/* avx512.c - kernels for x86 with AVX-512 and VNNI (Ice Lake 2019, Zen 4 2022 and later).
 *
 * The 16 lanes of the lane rule are one zmm register. */
#include "kernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "half.h"

#define INLINE static inline __attribute__((always_inline))

/* ---- Ternary --------------------------------------------------------------------------------- */

#include "avx512_t2.inc"

/* From MANY_TOKENS on, unpacking a panel pays off. */
enum { PANEL_COLS = 512, MANY_TOKENS = 48, PANEL_TILE = 8 };

#include "avx512_panel.inc"

/* sums[t*PANEL_ROWS + r] = (if add: +=) PANEL_TILE tokens by n_g groups of 16 rows, over n columns.
 * n_g is a compile-time constant. */
INLINE void panel_tile(int32_t *sums, const uint8_t *codes, const int8_t *x, size_t ldx, size_t n,
                       size_t n_g, bool add)
{
    enum { GROUP = TILE_ROWS * PANEL_COLS };
    __m512i acc[MAX_GROUPS * PANEL_TILE];

#pragma GCC unroll 24
    for (size_t a = 0; a < n_g * PANEL_TILE; a++)
        acc[a] = add ? _mm512_loadu_si512(sums + a / n_g * PANEL_ROWS + a % n_g * TILE_ROWS)
                     : _mm512_setzero_si512();
    for (size_t i = 0; i < n; i += 4, codes += TILE_COLS) {
        __m512i c[MAX_GROUPS];
        for (size_t g = 0; g < n_g; g++)
            c[g] = _mm512_loadu_si512(codes + g * GROUP);
        for (size_t t = 0; t < PANEL_TILE; t++) {
            int32_t four;
            memcpy(&four, x + t * ldx + i, sizeof four);
            const __m512i xv = _mm512_set1_epi32(four);
            for (size_t g = 0; g < n_g; g++)
                acc[t * n_g + g] = dpbusd(acc[t * n_g + g], c[g], xv);
        }
    }
#pragma GCC unroll 24
    for (size_t a = 0; a < n_g * PANEL_TILE; a++)
        _mm512_storeu_si512(sums + a / n_g * PANEL_ROWS + a % n_g * TILE_ROWS, acc[a]);
}

/* n_t is a multiple of PANEL_TILE. The next panel is prefetched meanwhile. */
static void panel_tokens(int32_t *sums, const uint8_t *codes, const int8_t *x, size_t ldx, size_t n,
                         size_t n_g, size_t n_t, bool add, const uint8_t *next)
{
    for (size_t t = 0; t < n_t; t += PANEL_TILE) {
        int32_t *s = sums + t * PANEL_ROWS;
        const int8_t *xt = x + t * ldx;
        trit_prefetch_panel(next, ldx / 4, PANEL_ROWS, PANEL_COLS / 4, t / PANEL_TILE,
                            n_t / PANEL_TILE);
        if (n_g == 3)
            panel_tile(s, codes, xt, ldx, n, 3, add);
        else if (n_g == 2)
            panel_tile(s, codes, xt, ldx, n, 2, add);
        else
            panel_tile(s, codes, xt, ldx, n, 1, add);
    }
}

static void t2_gemm(float *y, size_t ldy, const uint8_t *w, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_rows, size_t n_cols,
                    size_t n_tokens, const struct trit_walk *walk)
{
    const size_t many = n_tokens < MANY_TOKENS ? 0 : n_tokens / PANEL_TILE * PANEL_TILE;

    t2_by_panels(y, ldy, w, x, xq, w_scale, n_rows, n_cols, many);
    if (many < n_tokens)
        t2_gemm_vnni(y + many * ldy, ldy, w, x + many * n_cols, xq + many, w_scale, n_rows, n_cols,
                     n_tokens - many, walk);
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

#include "x86_lanes.inc"

INLINE float lanes_largest(lanes l)
{
    return largest8(_mm256_max_ps(_mm512_castps512_ps256(l), _mm512_extractf32x8_ps(l, 1)));
}

INLINE lanes lanes_from_i8(bytes16 q)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(q));
}

INLINE lanes lanes_swap(lanes x, int len)
{
    return len == 1   ? _mm512_permute_ps(x, 0xb1)
           : len == 2 ? _mm512_permute_ps(x, 0x4e)
           : len == 4 ? _mm512_shuffle_f32x4(x, x, 0xb1)
                      : _mm512_shuffle_f32x4(x, x, 0x4e);
}

/* In quarters of four lanes, a: [0 1 2 3] -> [0+2 1+3], then the same for b. */
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

enum { SHARED_SUMS = 16, PLAIN_TOKENS = 4, WEIGHED_QUERIES = 4, WEIGHED_LANES = 4 };

#include "lanes.inc"

/* ---- Probe ----------------------------------------------------------------------------------- */

#define PROBE probe_macs
#define CHAIN __m512i
#define CHAIN_ZERO _mm512_setzero_si512()
#define ONES __m512i
#define ONES_SET _mm512_set1_epi8(1)
#define STEP(sums) __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(sums) : "v"(ones))
#define CHAIN_SUM(v) ((uint64_t)_mm512_reduce_add_epi32((v)))

#include "probe.inc"

#define PROBE probe_fmas
#define CHAIN __m512
#define CHAIN_ZERO _mm512_setzero_ps()
#define ONES __m512
#define ONES_SET _mm512_set1_ps(1)
#define STEP(sums) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(sums) : "v"(ones))
#define CHAIN_SUM(v) ((uint64_t)_mm512_reduce_add_ps(v))

#include "probe.inc"

/* ---- Table ----------------------------------------------------------------------------------- */

void trit_kernels_init_avx512(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    k->probe_macs = probe_macs;
    k->probe_fmas = probe_fmas;
    init_lanes(k);
}
