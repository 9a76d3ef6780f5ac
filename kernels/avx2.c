/* avx2.c - kernels for x86 with AVX2, FMA and F16C (Haswell 2013, Zen 2017 and later).
 *
 * The 16 lanes of the lane rule are two ymm registers; lanes.inc has the kernels that use them. */
#include "kernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "half.h"

#define INLINE static inline __attribute__((always_inline))

/* ---- 16 lanes -------------------------------------------------------------------------------- */

typedef struct {
    __m256 lo, hi; /* 0..7 and 8..15; also 16 consecutive elements */
} lanes;

#define BY_HALVES(name, op)                                                                        \
    INLINE lanes name(lanes a, lanes b)                                                            \
    {                                                                                              \
        return (lanes){op(a.lo, b.lo), op(a.hi, b.hi)};                                            \
    }
BY_HALVES(lanes_add, _mm256_add_ps)
BY_HALVES(lanes_sub, _mm256_sub_ps)
BY_HALVES(lanes_mul, _mm256_mul_ps)
BY_HALVES(lanes_div, _mm256_div_ps)
BY_HALVES(lanes_max, _mm256_max_ps)
BY_HALVES(lanes_min, _mm256_min_ps)
#undef BY_HALVES

INLINE __m256 swap8(__m256 x, int len)
{
    return len == 1   ? _mm256_permute_ps(x, 0xb1)
           : len == 2 ? _mm256_permute_ps(x, 0x4e)
                      : _mm256_permute2f128_ps(x, x, 1);
}

INLINE lanes lanes_swap(lanes x, int len)
{
    return len == 8 ? (lanes){x.hi, x.lo} : (lanes){swap8(x.lo, len), swap8(x.hi, len)};
}

INLINE lanes lanes_fma(lanes a, lanes b, lanes c)
{
    return (lanes){_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}

INLINE lanes lanes_set(float x)
{
    return (lanes){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}

INLINE lanes lanes_zero(void)
{
    return lanes_set(0.0f);
}

INLINE lanes lanes_load(const float *p)
{
    return (lanes){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

INLINE void lanes_store(float *p, lanes x)
{
    _mm256_storeu_ps(p, x.lo);
    _mm256_storeu_ps(p + 8, x.hi);
}

INLINE __m256 exponent(__m256 t)
{
    const __m256i e = _mm256_add_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(e, 23));
}

INLINE lanes lanes_exponent(lanes t)
{
    return (lanes){exponent(t.lo), exponent(t.hi)};
}

INLINE lanes lanes_from_f16(const uint8_t *p)
{
    return (lanes){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)),
                   _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 16)))};
}

INLINE __m256 bf16_to_ps(__m128i h)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

INLINE lanes lanes_from_bf16(const uint8_t *p)
{
    return (lanes){bf16_to_ps(_mm_loadu_si128((const __m128i *)p)),
                   bf16_to_ps(_mm_loadu_si128((const __m128i *)(p + 16)))};
}

INLINE lanes lanes_abs_max(lanes m, lanes x)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    const __m256i lo = _mm256_and_si256(_mm256_castps_si256(x.lo), magnitude);
    const __m256i hi = _mm256_and_si256(_mm256_castps_si256(x.hi), magnitude);
    return (lanes){_mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(m.lo), lo)),
                   _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(m.hi), hi))};
}

INLINE void lanes_to_f16(uint8_t *p, lanes x)
{
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(x.lo, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((__m128i *)(p + 16), _mm256_cvtps_ph(x.hi, _MM_FROUND_TO_NEAREST_INT));
}

typedef __m256i int_lanes; /* eight sums, of two lanes each */

INLINE int_lanes int_lanes_zero(void)
{
    return _mm256_setzero_si256();
}

INLINE int_lanes lanes_round(int8_t *q, lanes x, int_lanes sums)
{
    const __m256i lo = _mm256_cvtps_epi32(x.lo), hi = _mm256_cvtps_epi32(x.hi);
    /* packing works within halves: quarters 0 2 | 1 3 of 16-bit numbers */
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(lo, hi), 0xd8);
    _mm_storeu_si128((__m128i *)q, _mm_packs_epi16(_mm256_castsi256_si128(packed),
                                                   _mm256_extracti128_si256(packed, 1)));
    return _mm256_add_epi32(sums, _mm256_add_epi32(lo, hi));
}

INLINE int32_t int_lanes_sum(int_lanes v)
{
    const __m128i by4 = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const __m128i by2 = _mm_add_epi32(by4, _mm_unpackhi_epi64(by4, by4));
    return _mm_cvtsi128_si32(_mm_add_epi32(by2, _mm_shuffle_epi32(by2, 1)));
}

#include "x86_lanes.inc"

INLINE float lanes_largest(lanes l)
{
    return largest8(_mm256_max_ps(l.lo, l.hi));
}

INLINE lanes lanes_from_i8(bytes16 q)
{
    return (lanes){_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(q)),
                   _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(q, 8)))};
}

/* Two folds at once: lanes j + (j+8), then j + (j+4); four of a, then four of b. */
INLINE __m256 fold2(lanes a, lanes b)
{
    const __m256 x = _mm256_add_ps(a.lo, a.hi), y = _mm256_add_ps(b.lo, b.hi);
    return _mm256_add_ps(_mm256_permute2f128_ps(x, y, 0x20), _mm256_permute2f128_ps(x, y, 0x31));
}

INLINE void fold4(float *out, lanes a, lanes b, lanes c, lanes d)
{
    const __m256 x = fold2(a, b), y = fold2(c, d); /* each [4 of one | 4 of the other] */
    const __m256 z = _mm256_add_ps(_mm256_shuffle_ps(x, y, 0x44), _mm256_shuffle_ps(x, y, 0xee));
    const __m256 s = _mm256_add_ps(_mm256_shuffle_ps(z, z, 0x88), _mm256_shuffle_ps(z, z, 0xdd));
    _mm_storeu_ps(out, _mm_unpacklo_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}

enum { SHARED_SUMS = 6, PLAIN_TOKENS = 3, WEIGHED_QUERIES = 2, WEIGHED_LANES = 2 };

#include "lanes.inc"

/* ---- Ternary ---------------------------------------------------------------------------------
 *
 * maddubs multiplies unsigned codes by signed activations and adds pairs into 16 bits. Four times a
 * code is at most 12 (code 3 may occur in a hostile file) and a pair of products 2*12*127; ten such
 * pairs fit, and a block has two. */
#include "x86_t2.inc"

enum { CHUNK_BLOCKS = 5, TILE_TOKENS = 2, PANEL_COLS = 1280 };

INLINE __m256i mac(__m256i acc, __m256i c, __m256i x)
{
    return _mm256_add_epi16(acc, _mm256_maddubs_epi16(c, x));
}

INLINE __m256i widen(__m256i ones, __m256i fours)
{
    const __m256i sums = _mm256_add_epi16(ones, _mm256_srai_epi16(fours, 2));
    return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

#include "t2_gemv.inc"

#include "t2_panel.inc"

#include "t2_gemm.inc"

/* ---- Probes ---------------------------------------------------------------------------------- */

static uint64_t probe_read(const void *p, size_t n_bytes, enum trit_hint hint)
{
    const uint8_t *bytes = p;
    __m256i x[4];
    uint64_t part[4], sum = 0, last = 0;

    for (int i = 0; i < 4; i++)
        x[i] = _mm256_setzero_si256();
    for (; n_bytes >= 128; n_bytes -= 128, bytes += 128) {
        trit_prefetch(bytes + TRIT_PROBE_AHEAD, 128, hint);
        for (int i = 0; i < 4; i++)
            x[i] = _mm256_xor_si256(x[i], _mm256_loadu_si256((const __m256i *)(bytes + 32 * i)));
    }
    x[0] = _mm256_xor_si256(_mm256_xor_si256(x[0], x[1]), _mm256_xor_si256(x[2], x[3]));
    _mm256_storeu_si256((__m256i *)part, x[0]);
    for (; n_bytes >= 8; n_bytes -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        sum ^= word;
    }
    memcpy(&last, bytes, n_bytes);
    return sum ^ last ^ part[0] ^ part[1] ^ part[2] ^ part[3];
}

#define PROBE probe_macs
#define CHAIN __m256i
#define CHAIN_ZERO _mm256_setzero_si256()
#define ONES __m256i
#define ONES_SET _mm256_set1_epi8(1)
#define STEP(sums)                                                                                 \
    do {                                                                                           \
        __m256i product;                                                                           \
        __asm__ volatile("vpmaddubsw %2, %2, %1\n\tvpaddw %1, %0, %0"                              \
                         : "+x"(sums), "=&x"(product)                                              \
                         : "x"(ones));                                                             \
    } while (0)
#define CHAIN_SUM(v) ((uint64_t)int_lanes_sum(_mm256_madd_epi16((v), _mm256_set1_epi16(1))))

#include "probe.inc"

INLINE uint64_t sum8(__m256 v)
{
    float x[8];
    _mm256_storeu_ps(x, v);
    return (uint64_t)(x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7]);
}

#define PROBE probe_fmas
#define CHAIN __m256
#define CHAIN_ZERO _mm256_setzero_ps()
#define ONES __m256
#define ONES_SET _mm256_set1_ps(1)
#define STEP(sums) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+x"(sums) : "x"(ones))
#define CHAIN_SUM(v) sum8(v)

#include "probe.inc"

/* ---- Table -----------------------------------------------------------------------------------
 * rope_pairs and kv_store_f32 are inherited: the compiler vectorises those of scalar.c. */

void trit_kernels_init_avx2(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    init_lanes(k);
    k->probe_read = probe_read;
    k->probe_macs = probe_macs;
    k->probe_fmas = probe_fmas;
}
