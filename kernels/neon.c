/* neon.c - kernels for every 64-bit Arm, by the Advanced SIMD of 2011 (Cortex-A53, Raspberry Pi 3
 * and 4).
 *
 * The 16 lanes of the lane rule are four q registers; lanes.inc has the kernels that use them. */
#include "kernels.h"

#include <arm_neon.h>
#include <math.h>
#include <string.h>

#include "half.h"

#define INLINE static inline __attribute__((always_inline))

/* ---- 16 lanes -------------------------------------------------------------------------------- */

typedef float32x4x4_t lanes;

#define BY_QUARTERS(name, op)                                                                      \
    INLINE lanes name(lanes a, lanes b)                                                            \
    {                                                                                              \
        return (lanes){{op(a.val[0], b.val[0]), op(a.val[1], b.val[1]), op(a.val[2], b.val[2]),    \
                        op(a.val[3], b.val[3])}};                                                  \
    }

/* The fmax and fmin instructions treat NaN and zeros differently. */
INLINE float32x4_t larger(float32x4_t a, float32x4_t b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

INLINE float32x4_t smaller(float32x4_t a, float32x4_t b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

INLINE float32x4_t larger_magnitude(float32x4_t m, float32x4_t x)
{
    const uint32x4_t bits = vandq_u32(vreinterpretq_u32_f32(x), vdupq_n_u32(0x7fffffff));
    return vreinterpretq_f32_u32(vmaxq_u32(vreinterpretq_u32_f32(m), bits));
}

BY_QUARTERS(lanes_add, vaddq_f32)
BY_QUARTERS(lanes_sub, vsubq_f32)
BY_QUARTERS(lanes_mul, vmulq_f32)
BY_QUARTERS(lanes_div, vdivq_f32)
BY_QUARTERS(lanes_max, larger)
BY_QUARTERS(lanes_min, smaller)
BY_QUARTERS(lanes_abs_max, larger_magnitude)
#undef BY_QUARTERS

/* Lanes + 8, + 4, + 2, + 1. */
INLINE float lanes_largest(lanes l)
{
    const float32x4_t by4 = larger(larger(l.val[0], l.val[2]), larger(l.val[1], l.val[3]));
    const float32x4_t by2 = larger(by4, vextq_f32(by4, by4, 2));
    return vgetq_lane_f32(larger(by2, vdupq_laneq_f32(by2, 1)), 0);
}

INLINE float32x4_t swap4(float32x4_t x, int len)
{
    return len == 1 ? vrev64q_f32(x) : vextq_f32(x, x, 2);
}

INLINE lanes lanes_swap(lanes x, int len)
{
    const float32x4_t *v = x.val;
    return len == 8 ? (lanes){{v[2], v[3], v[0], v[1]}}
           : len == 4
               ? (lanes){{v[1], v[0], v[3], v[2]}}
               : (lanes){{swap4(v[0], len), swap4(v[1], len), swap4(v[2], len), swap4(v[3], len)}};
}

INLINE lanes lanes_fma(lanes a, lanes b, lanes c)
{
    return (lanes){
        {vfmaq_f32(c.val[0], a.val[0], b.val[0]), vfmaq_f32(c.val[1], a.val[1], b.val[1]),
         vfmaq_f32(c.val[2], a.val[2], b.val[2]), vfmaq_f32(c.val[3], a.val[3], b.val[3])}};
}

INLINE lanes lanes_set(float x)
{
    const float32x4_t v = vdupq_n_f32(x);
    return (lanes){{v, v, v, v}};
}

INLINE lanes lanes_zero(void)
{
    return lanes_set(0.0f);
}

INLINE lanes lanes_load(const float *p)
{
    return (lanes){{vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}};
}

INLINE void lanes_store(float *p, lanes x)
{
    for (int i = 0; i < 4; i++)
        vst1q_f32(p + 4 * i, x.val[i]);
}

INLINE float32x4_t exponent(float32x4_t t)
{
    const int32x4_t e = vaddq_s32(vreinterpretq_s32_f32(t), vdupq_n_s32(127));
    return vreinterpretq_f32_s32(vshlq_n_s32(e, 23));
}

INLINE lanes lanes_exponent(lanes t)
{
    return (lanes){
        {exponent(t.val[0]), exponent(t.val[1]), exponent(t.val[2]), exponent(t.val[3])}};
}

INLINE lanes lanes_from_f16(const uint8_t *p)
{
    const float16x8_t a = vreinterpretq_f16_u8(vld1q_u8(p));
    const float16x8_t b = vreinterpretq_f16_u8(vld1q_u8(p + 16));
    return (lanes){{vcvt_f32_f16(vget_low_f16(a)), vcvt_high_f32_f16(a),
                    vcvt_f32_f16(vget_low_f16(b)), vcvt_high_f32_f16(b)}};
}

INLINE void lanes_to_f16(uint8_t *p, lanes x)
{
    const float16x8_t a = vcvt_high_f16_f32(vcvt_f16_f32(x.val[0]), x.val[1]);
    const float16x8_t b = vcvt_high_f16_f32(vcvt_f16_f32(x.val[2]), x.val[3]);
    vst1q_u8(p, vreinterpretq_u8_f16(a));
    vst1q_u8(p + 16, vreinterpretq_u8_f16(b));
}

INLINE float f16_at(const uint8_t *p)
{
    const float16x4_t h = vreinterpret_f16_u16(vdup_n_u16(trit_load_u16(p)));
    return vgetq_lane_f32(vcvt_f32_f16(h), 0);
}

INLINE lanes lanes_from_bf16(const uint8_t *p)
{
    const uint16x8_t a = vreinterpretq_u16_u8(vld1q_u8(p));
    const uint16x8_t b = vreinterpretq_u16_u8(vld1q_u8(p + 16));
    const uint16x8_t zero = vdupq_n_u16(0); /* the lower halves */
    return (lanes){
        {vreinterpretq_f32_u16(vzip1q_u16(zero, a)), vreinterpretq_f32_u16(vzip2q_u16(zero, a)),
         vreinterpretq_f32_u16(vzip1q_u16(zero, b)), vreinterpretq_f32_u16(vzip2q_u16(zero, b))}};
}

typedef uint8x16_t bytes16;
#define bytes_load vld1q_u8

INLINE bytes16 bytes_of_words(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const uint32_t words[4] = {a, b, c, d};
    return vreinterpretq_u8_u32(vld1q_u32(words));
}

INLINE bytes16 bytes_bits(bytes16 v, size_t shift, uint8_t mask)
{
    return vandq_u8(vshlq_u8(v, vdupq_n_s8((int8_t) - (int8_t)shift)), vdupq_n_u8(mask));
}

INLINE bytes16 bytes_join(bytes16 low, bytes16 high)
{
    return vorrq_u8(low, vshlq_n_u8(high, 4));
}

INLINE bytes16 bytes_minus(bytes16 v, uint8_t n)
{
    return vsubq_u8(v, vdupq_n_u8(n));
}

INLINE lanes lanes_from_i8(bytes16 bytes)
{
    const int8x16_t q = vreinterpretq_s8_u8(bytes);
    const int16x8_t a = vmovl_s8(vget_low_s8(q)), b = vmovl_high_s8(q);
    return (lanes){{vcvtq_f32_s32(vmovl_s16(vget_low_s16(a))), vcvtq_f32_s32(vmovl_high_s16(a)),
                    vcvtq_f32_s32(vmovl_s16(vget_low_s16(b))), vcvtq_f32_s32(vmovl_high_s16(b))}};
}

typedef int32x4_t int_lanes; /* four sums, of four lanes each */
#define int_lanes_sum vaddvq_s32

INLINE int_lanes int_lanes_zero(void)
{
    return vdupq_n_s32(0);
}

INLINE int_lanes lanes_round(int8_t *q, lanes x, int_lanes sums)
{
    const int32x4_t a = vcvtnq_s32_f32(x.val[0]), b = vcvtnq_s32_f32(x.val[1]);
    const int32x4_t c = vcvtnq_s32_f32(x.val[2]), d = vcvtnq_s32_f32(x.val[3]);
    const int16x8_t ab = vmovn_high_s32(vmovn_s32(a), b), cd = vmovn_high_s32(vmovn_s32(c), d);
    vst1q_s8(q, vmovn_high_s16(vmovn_s16(ab), cd));
    return vaddq_s32(sums, vaddq_s32(vaddq_s32(a, b), vaddq_s32(c, d)));
}

/* Lanes + 8, + 4: four lanes are left. */
INLINE float32x4_t fold_to_4(lanes l)
{
    return vaddq_f32(vaddq_f32(l.val[0], l.val[2]), vaddq_f32(l.val[1], l.val[3]));
}

/* Lanes + 2 of two folds: two lanes of a, two of b. */
INLINE float32x4_t fold_to_2(float32x4_t a, float32x4_t b)
{
    const float64x2_t x = vreinterpretq_f64_f32(a), y = vreinterpretq_f64_f32(b);
    return vaddq_f32(vreinterpretq_f32_f64(vzip1q_f64(x, y)),
                     vreinterpretq_f32_f64(vzip2q_f64(x, y)));
}

INLINE void fold4(float *out, lanes a, lanes b, lanes c, lanes d)
{
    const float32x4_t x = fold_to_2(fold_to_4(a), fold_to_4(b));
    const float32x4_t y = fold_to_2(fold_to_4(c), fold_to_4(d));
    vst1q_f32(out, vpaddq_f32(x, y));
}

enum { SHARED_SUMS = 6, PLAIN_TOKENS = 3, WEIGHED_QUERIES = 2, WEIGHED_LANES = 2 };

#include "lanes.inc"

/* ---- Ternary ---------------------------------------------------------------------------------
 *
 * smlal multiplies bytes and adds each product to 16 bits. Four times a code is at most 12 (code 3
 * may occur in a hostile file). A lane gets eight such products per block, of at most 12*127 each,
 * so two blocks fit. With plain codes it gets two per 16 columns, of at most 3*127 each. */

#include "arm_t2.inc"

enum { CHUNK_BLOCKS = 2, TILE_TOKENS = 4, PANEL_COLS = 640 };

typedef int16x8_t vec_acc;

INLINE int16x8_t acc_zero(void)
{
    return vdupq_n_s16(0);
}

INLINE int16x8_t mac(int16x8_t acc, int8x16_t c, int8x16_t x)
{
    return vmlal_high_s8(vmlal_s8(acc, vget_low_s8(c), vget_low_s8(x)), c, x);
}

INLINE int32x4_t widen(int16x8_t ones, int16x8_t fours)
{
    return vpaddlq_s16(vsraq_n_s16(ones, fours, 2));
}

#include "t2_gemv.inc"

#include "t2_panel.inc"

#include "t2_gemm.inc"

/* ---- Probes ---------------------------------------------------------------------------------- */

static uint64_t probe_read(const void *p, size_t n_bytes, enum trit_hint hint)
{
    const uint8_t *bytes = p;
    uint64x2_t x[4];
    uint64_t sum = 0, last = 0;

    for (int i = 0; i < 4; i++)
        x[i] = vdupq_n_u64(0);
    for (; n_bytes >= 64; n_bytes -= 64, bytes += 64) {
        trit_prefetch(bytes + TRIT_PROBE_AHEAD, 64, hint);
        for (int i = 0; i < 4; i++)
            x[i] = veorq_u64(x[i], vreinterpretq_u64_u8(vld1q_u8(bytes + 16 * i)));
    }
    x[0] = veorq_u64(veorq_u64(x[0], x[1]), veorq_u64(x[2], x[3]));
    for (; n_bytes >= 8; n_bytes -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        sum ^= word;
    }
    memcpy(&last, bytes, n_bytes);
    return sum ^ last ^ vgetq_lane_u64(x[0], 0) ^ vgetq_lane_u64(x[0], 1);
}

#define PROBE probe_macs
#define CHAIN int16x8_t
#define CHAIN_ZERO vdupq_n_s16(0)
#define ONES int8x16_t
#define ONES_SET vdupq_n_s8(1)
#define STEP(sums)                                                                                 \
    __asm__ volatile("smlal %0.8h, %1.8b, %1.8b\n\tsmlal2 %0.8h, %1.16b, %1.16b"                   \
                     : "+&w"(sums)                                                                 \
                     : "w"(ones))
#define CHAIN_SUM(v) ((uint64_t)vaddlvq_s16((v)))

#include "probe.inc"

#define PROBE probe_fmas
#define CHAIN float32x4_t
#define CHAIN_ZERO vdupq_n_f32(0)
#define ONES float32x4_t
#define ONES_SET vdupq_n_f32(1)
#define STEP(sums) __asm__ volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(sums) : "w"(ones))
#define CHAIN_SUM(v) ((uint64_t)vaddvq_f32(v))

#include "probe.inc"

/* ---- Table -----------------------------------------------------------------------------------
 * rope_pairs and kv_store_f32 are inherited: the compiler vectorises those of scalar.c. */

void trit_kernels_init_neon(struct trit_kernels *k)
{
    init_lanes(k);
    k->t2_gemm = t2_gemm;
    k->probe_read = probe_read;
    k->probe_macs = probe_macs;
    k->probe_fmas = probe_fmas;
}
