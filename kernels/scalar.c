/* scalar.c - the definition of every kernel, in plain C.
 *
 * This row runs on any CPU, and the other files must give the same bits. It is written to be read:
 * fmaf is libm's, correctly rounded, and the compiler may not fuse operations. */
#include "kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "blocks.h"
#include "expf.h"
#include "half.h"

_Static_assert(FLT_EVAL_METHOD == 0, "float expressions must be evaluated as float");

enum { F32_INF_BITS = 0x7f800000 };

/* ---- The lane rule --------------------------------------------------------------------------- */

static float fold_lanes(const float lane[TRIT_LANES])
{
    float l[TRIT_LANES];
    memcpy(l, lane, sizeof l);
    for (int half = TRIT_LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            l[j] += l[j + half];
    return l[0];
}

/* Add a[0..n)*b[0..n) to the lanes, padded with +0 if n is not a multiple of 16. */
static void dot_lanes(float lane[TRIT_LANES], const float *a, const float *b, size_t n)
{
    size_t i = 0;
    for (; i + TRIT_LANES <= n; i += TRIT_LANES)
        for (size_t j = 0; j < TRIT_LANES; j++)
            lane[j] = fmaf(a[i + j], b[i + j], lane[j]);
    if (i < n)
        for (size_t j = 0; j < TRIT_LANES; j++)
            lane[j] = i + j < n ? fmaf(a[i + j], b[i + j], lane[j]) : fmaf(0.0f, 0.0f, lane[j]);
}

static float dot(const float *a, const float *b, size_t n)
{
    float lane[TRIT_LANES] = {0};
    dot_lanes(lane, a, b, n);
    return fold_lanes(lane);
}

/* ---- Activation rows ------------------------------------------------------------------------- */

static uint32_t abs_max_bits(const float *x, size_t n)
{
    uint32_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t a = trit_f32_bits(x[i]) & 0x7fffffffu;
        m = a > m ? a : m;
    }
    return m;
}

static bool quantize_row(bool divides, int8_t *q, struct trit_q8 *out, const float *x, size_t n,
                         size_t n_padded, float eps, float q_max)
{
    const uint32_t bits = abs_max_bits(x, n);
    const float top = trit_bits_f32(bits);
    const bool finite = bits < F32_INF_BITS && !(divides && top > TRIT_DIV_MAX);
    const float m = finite && top > eps ? top : eps;

    out->s = q_max / m;
    out->sum = 0;
    memset(q + n, 0, n_padded - n);
    if (!finite) {
        memset(q, 0, n);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        q[i] = (int8_t)rintf(divides ? x[i] * q_max / m : x[i] * out->s);
        out->sum += q[i];
    }
    return true;
}

static bool quantize_row_mul(int8_t *q, struct trit_q8 *out, const float *x, size_t n,
                             size_t n_padded, float eps, float q_max)
{
    return quantize_row(false, q, out, x, n, n_padded, eps, q_max);
}

static bool quantize_row_div(int8_t *q, struct trit_q8 *out, const float *x, size_t n,
                             size_t n_padded, float eps, float q_max)
{
    return quantize_row(true, q, out, x, n, n_padded, eps, q_max);
}

/* ---- Ternary --------------------------------------------------------------------------------- */

/* sum_k c[k]*x[k] over one T2 row */
static int32_t t2_dot(const uint8_t *w, const int8_t *x, size_t n_cols)
{
    int32_t sum = 0;
    for (size_t b = 0; b < n_cols; b += TRIT_T2_BLOCK, w += TRIT_T2_BLOCK_BYTES, x += TRIT_T2_BLOCK)
        for (size_t i = 0; i < TRIT_T2_BLOCK_BYTES; i++)
            sum += (w[i] >> 6) * x[i] + (w[i] >> 4 & 3) * x[32 + i] + (w[i] >> 2 & 3) * x[64 + i] +
                   (w[i] & 3) * x[96 + i];
    return sum;
}

static void t2_gemm(float *y, size_t ldy, const uint8_t *w, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_rows, size_t n_cols,
                    size_t n_tokens, const struct trit_walk *walk)
{
    (void)walk;
    for (size_t t = 0; t < n_tokens; t++)
        for (size_t r = 0; r < n_rows; r++) {
            const int32_t d = t2_dot(w + r * (n_cols / 4), x + t * n_cols, n_cols);
            y[t * ldy + r] = (float)(d - xq[t].sum) * (w_scale / xq[t].s);
        }
}

/* ---- Float formats --------------------------------------------------------------------------- */

static void decode_f32(float *y, const void *w, size_t n)
{
    memcpy(y, w, n * sizeof *y);
}

static void decode_f16(float *y, const void *w, size_t n)
{
    const uint8_t *p = w;
    for (size_t i = 0; i < n; i++)
        y[i] = trit_f16_to_f32(trit_load_u16(p + 2 * i));
}

static void decode_bf16(float *y, const void *w, size_t n)
{
    const uint8_t *p = w;
    for (size_t i = 0; i < n; i++)
        y[i] = trit_bf16_to_f32(trit_load_u16(p + 2 * i));
}

static void decode_q8_0(float *y, const void *w, size_t n)
{
    const uint8_t *p = w;
    for (size_t b = 0; b < n; b += Q8_0_BLOCK, p += Q8_0_BYTES) {
        const float d = trit_f16_to_f32(trit_load_u16(p));
        for (size_t i = 0; i < Q8_0_BLOCK; i++)
            y[b + i] = d * (float)(int8_t)p[2 + i];
    }
}

/* Byte i holds weight i in its low nibble and 16+i in its high one. */
static void decode_q4_0(float *y, const void *w, size_t n)
{
    const uint8_t *p = w;
    for (size_t b = 0; b < n; b += Q4_0_BLOCK, p += Q4_0_BYTES) {
        const float d = trit_f16_to_f32(trit_load_u16(p));
        for (size_t i = 0; i < Q4_0_BLOCK / 2; i++) {
            y[b + i] = d * (float)((p[2 + i] & 15) - 8);
            y[b + 16 + i] = d * (float)((p[2 + i] >> 4) - 8);
        }
    }
}

/* Eight sub-blocks of 32: w = (d*scale)*q - m*min. Sub-blocks 2i and 2i+1 are the low and the high
 * nibbles of the same 32 bytes. */
static void decode_q4_k(float *y, const void *w, size_t n)
{
    const uint8_t *p = w;
    for (size_t b = 0; b < n; b += K_BLOCK, p += Q4_K_BYTES) {
        const float d = trit_f16_to_f32(trit_load_u16(p));
        const float m = trit_f16_to_f32(trit_load_u16(p + 2));
        for (size_t j = 0; j < 8; j++) {
            const uint8_t *nibbles = p + 16 + j / 2 * 32;
            const int shift = j % 2 ? 4 : 0;
            int scale, min;
            q4_k_scale(p + 4, j, &scale, &min);
            const float dj = d * (float)scale, mj = m * (float)min;
            for (size_t i = 0; i < 32; i++)
                y[b + 32 * j + i] = dj * (float)(nibbles[i] >> shift & 15) - mj;
        }
    }
}

/* Two halves of 128, each four groups of 32. Group g has its low 4 bits in bytes 32*(g%2).. (low
 * nibbles if g < 2, else high ones) and its high 2 bits in bits 2g and 2g+1 of the 32 bytes of
 * pairs. A scale covers 16 weights: w = (d*scale)*(q-32). */
static void decode_q6_k(float *y, const void *w, size_t n)
{
    const uint8_t *p = w;
    for (size_t b = 0; b < n; b += K_BLOCK, p += Q6_K_BYTES) {
        const float d = trit_f16_to_f32(trit_load_u16(p + 208));
        for (size_t g = 0; g < 8; g++) {
            const uint8_t *low = p + g / 4 * 64 + g % 2 * 32;
            const uint8_t *high = p + 128 + g / 4 * 32;
            const int8_t *scale = (const int8_t *)p + 192 + 2 * g;
            const int low_shift = (int)(g % 4 / 2 * 4), high_shift = (int)(g % 4 * 2);
            for (size_t i = 0; i < 32; i++) {
                const int q = (low[i] >> low_shift & 15) | (high[i] >> high_shift & 3) << 4;
                y[b + 32 * g + i] = d * (float)scale[i / 16] * (float)(q - 32);
            }
        }
    }
}

/* Any format: decode a stretch of a row at a time, then apply the lane rule. A stretch is a
 * multiple of every block and of the lanes, so its length does not affect the result. */
static void gemm_decoded(enum trit_format format, void (*decode)(float *, const void *, size_t),
                         float *y, size_t ldy, const void *w, const float *x, size_t ldx,
                         size_t n_rows, size_t n_cols, size_t n_tokens)
{
    enum { STRETCH = 512 };
    float buf[STRETCH];
    const size_t row_bytes = trit_format_bytes(format, n_cols);

    for (size_t r = 0; r < n_rows; r++)
        for (size_t t = 0; t < n_tokens; t++) {
            const uint8_t *row = (const uint8_t *)w + r * row_bytes;
            float lane[TRIT_LANES] = {0};
            for (size_t i = 0; i < n_cols; i += STRETCH) {
                const size_t n = n_cols - i < STRETCH ? n_cols - i : STRETCH;
                decode(buf, row + trit_format_bytes(format, i), n);
                dot_lanes(lane, buf, x + t * ldx + i, n);
            }
            y[t * ldy + r] = fold_lanes(lane);
        }
}

#define DEFINE_GEMM(name, FORMAT)                                                                  \
    static void gemm_##name(float *y, size_t ldy, const void *w, const float *x, size_t ldx,       \
                            size_t n_rows, size_t n_cols, size_t n_tokens,                         \
                            const struct trit_walk *walk)                                          \
    {                                                                                              \
        (void)walk;                                                                                \
        gemm_decoded(FORMAT, decode_##name, y, ldy, w, x, ldx, n_rows, n_cols, n_tokens);          \
    }
DEFINE_GEMM(f32, TRIT_FORMAT_F32)
DEFINE_GEMM(f16, TRIT_FORMAT_F16)
DEFINE_GEMM(bf16, TRIT_FORMAT_BF16)
DEFINE_GEMM(q8_0, TRIT_FORMAT_Q8_0)
DEFINE_GEMM(q4_0, TRIT_FORMAT_Q4_0)
DEFINE_GEMM(q4_k, TRIT_FORMAT_Q4_K)
DEFINE_GEMM(q6_k, TRIT_FORMAT_Q6_K)
#undef DEFINE_GEMM

/* ---- Norm, RoPE, activation ------------------------------------------------------------------ */

static bool rmsnorm(float *y, const float *x, const float *w, size_t n, float eps)
{
    const float ss = dot(x, x, n);
    const float r = 1.0f / sqrtf(ss / (float)n + eps);
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * r * w[i];
    return isfinite(ss);
}

static float sum_lanes(const float *x, size_t n)
{
    float lane[TRIT_LANES] = {0};
    for (size_t i = 0; i < (n + TRIT_LANES - 1) / TRIT_LANES * TRIT_LANES; i++)
        lane[i % TRIT_LANES] += i < n ? x[i] : 0.0f;
    return fold_lanes(lane);
}

static bool layernorm(float *y, const float *x, const float *w, const float *b, size_t n, float eps)
{
    const float mean = sum_lanes(x, n) / (float)n;
    float lane[TRIT_LANES] = {0};

    for (size_t i = 0; i < (n + TRIT_LANES - 1) / TRIT_LANES * TRIT_LANES; i++) {
        const float d = i < n ? x[i] - mean : 0.0f;
        lane[i % TRIT_LANES] = fmaf(d, d, lane[i % TRIT_LANES]);
    }
    const float ss = fold_lanes(lane);
    const float r = 1.0f / sqrtf(ss / (float)n + eps);
    for (size_t i = 0; i < n; i++)
        y[i] = w ? (x[i] - mean) * r * w[i] + b[i] : (x[i] - mean) * r;
    return isfinite(ss);
}

static void fwht(float *x, size_t n)
{
    for (size_t len = 1; len < n; len *= 2)
        for (size_t i = 0; i < n; i++)
            if (!(i & len)) {
                const float a = x[i], b = x[i + len];
                x[i] = a + b;
                x[i + len] = a - b;
            }
}

static void rotate(float *a, float *b, float c, float s)
{
    const float x = *a, y = *b;
    *a = x * c - y * s;
    *b = x * s + y * c;
}

static void rope_half(float *x, const float *cos, const float *sin, size_t n_rot)
{
    for (size_t i = 0; i < n_rot / 2; i++)
        rotate(&x[i], &x[i + n_rot / 2], cos[i], sin[i]);
}

static void rope_pairs(float *x, const float *cos, const float *sin, size_t n_rot)
{
    for (size_t i = 0; i < n_rot / 2; i++)
        rotate(&x[2 * i], &x[2 * i + 1], cos[i], sin[i]);
}

static float exp_f32(float x)
{
    x = TRIT_EXP_MAX < x ? TRIT_EXP_MAX : x; /* this order keeps NaN */
    x = TRIT_EXP_MIN > x ? TRIT_EXP_MIN : x;
    const float t = fmaf(x, TRIT_EXP_LOG2E, TRIT_EXP_MAGIC);
    const float n = t - TRIT_EXP_MAGIC;
    float r = fmaf(n, -TRIT_EXP_LN2_HI, x);
    r = fmaf(n, -TRIT_EXP_LN2_LO, r);
    float p = fmaf(TRIT_EXP_C7, r, TRIT_EXP_C6);
    p = fmaf(p, r, TRIT_EXP_C5);
    p = fmaf(p, r, TRIT_EXP_C4);
    p = fmaf(p, r, TRIT_EXP_C3);
    p = fmaf(p, r, TRIT_EXP_C2);
    p = fmaf(p, r, 1.0f);
    p = fmaf(p, r, 1.0f);
    return p * trit_bits_f32((trit_f32_bits(t) + 127u) << 23);
}

static void glu_silu(float *y, const float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = gate[i] / (1.0f + exp_f32(-gate[i])) * up[i];
}

static void glu_relu2(float *y, const float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float r = 0.0f > gate[i] ? 0.0f : gate[i];
        y[i] = r * r * up[i];
    }
}

/* ---- Key and value rows ---------------------------------------------------------------------- */

static void kv_store_f32(void *dst, float *row_scale, const float *x, size_t n)
{
    (void)row_scale;
    memcpy(dst, x, n * sizeof *x);
}

static void kv_store_f16(void *dst, float *row_scale, const float *x, size_t n)
{
    uint8_t *p = dst;
    (void)row_scale;
    for (size_t i = 0; i < n; i++) {
        float v = 65504.0f < x[i] ? 65504.0f : x[i];
        v = -65504.0f > v ? -65504.0f : v;
        const uint16_t h = trit_f32_to_f16(v);
        memcpy(p + 2 * i, &h, sizeof h);
    }
}

static void kv_store_i8(void *dst, float *row_scale, const float *x, size_t n)
{
    const uint32_t bits = abs_max_bits(x, n);
    const float m = trit_bits_f32(bits);
    int8_t *q = dst;

    if (m < TRIT_KV_TINY || bits >= F32_INF_BITS) {
        *row_scale = bits < F32_INF_BITS ? 0.0f : NAN;
        memset(q, 0, n);
        return;
    }
    const float s = 127.0f / m;
    *row_scale = m / 127.0f;
    for (size_t i = 0; i < n; i++)
        q[i] = (int8_t)rintf(x[i] * s);
}

static void load_kv_f32(float *y, const void *row, size_t n)
{
    memcpy(y, row, n * sizeof *y);
}

static void load_kv_i8(float *y, const void *row, size_t n)
{
    const int8_t *q = row;
    for (size_t i = 0; i < n; i++)
        y[i] = (float)q[i];
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* p[i] = exp(p[i] - max) in place; the maximum and the sum by the lane rule. */
static struct trit_softmax softmax_block(float *p, size_t n)
{
    struct trit_softmax sm;
    float lane[TRIT_LANES] = {0}, max[TRIT_LANES];

    for (size_t j = 0; j < TRIT_LANES; j++)
        max[j] = -INFINITY;
    for (size_t i = 0; i < (n + TRIT_LANES - 1) / TRIT_LANES * TRIT_LANES; i++) {
        const float x = i < n ? p[i] : -INFINITY;
        max[i % TRIT_LANES] = max[i % TRIT_LANES] > x ? max[i % TRIT_LANES] : x;
    }
    for (size_t half = TRIT_LANES / 2; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++)
            max[j] = max[j] > max[j + half] ? max[j] : max[j + half];
    sm.max = max[0];
    for (size_t i = 0; i < n; i++)
        p[i] = exp_f32(p[i] - sm.max);
    for (size_t i = 0; i < (n + TRIT_LANES - 1) / TRIT_LANES * TRIT_LANES; i++)
        lane[i % TRIT_LANES] += i < n ? p[i] : 0.0f;
    sm.sum = fold_lanes(lane);
    return sm;
}

/* Add a later block to sm and acc: [d]. */
static void merge_one(float *acc, struct trit_softmax *sm, const float *block_acc,
                      const struct trit_softmax *block, size_t d)
{
    const float max = sm->max > block->max ? sm->max : block->max;
    const float a = exp_f32(sm->max - max), b = exp_f32(block->max - max);

    sm->sum = fmaf(block->sum, b, sm->sum * a);
    sm->max = max;
    for (size_t i = 0; i < d; i++)
        acc[i] = fmaf(block_acc[i], b, acc[i] * a);
}

static void attn_merge(float *acc, struct trit_softmax *sm, const float *block_acc,
                       const struct trit_softmax *block_sm, size_t head_dim, size_t n_blocks,
                       size_t stride)
{
    for (size_t k = 0; k < n_blocks; k++)
        merge_one(acc, sm, block_acc + k * stride * head_dim, &block_sm[k * stride], head_dim);
}

/* One query over any row type; the scales are NULL if rows have none. */
static void attn_query(void (*load)(float *, const void *, size_t), size_t row_bytes, float *acc,
                       struct trit_softmax *sm, const struct trit_attn_shape *shape, const float *q,
                       const void *k, const float *k_scale, const void *v, const float *v_scale)
{
    float p[TRIT_ATTN_BLOCK] = {0}, row[TRIT_MAX_HEAD_DIM], own[TRIT_MAX_HEAD_DIM] = {0};
    const size_t d = shape->head_dim;

    for (size_t j = 0; j < shape->n_keys; j++) {
        load(row, (const uint8_t *)k + j * row_bytes, d);
        const float s = dot(q, row, d);
        p[j] = (k_scale ? s * k_scale[j] : s) * shape->scale;
    }
    const struct trit_softmax block = softmax_block(p, shape->n_keys);
    for (size_t j = 0; j < shape->n_keys; j++) {
        const float weight = v_scale ? p[j] * v_scale[j] : p[j];
        load(row, (const uint8_t *)v + j * row_bytes, d);
        for (size_t i = 0; i < d; i++)
            own[i] = fmaf(weight, row[i], own[i]);
    }
    if (shape->accumulate) {
        merge_one(acc, sm, own, &block, d);
    } else {
        memcpy(acc, own, d * sizeof *acc);
        *sm = block;
    }
}

static void attn_rows(void (*load)(float *, const void *, size_t), size_t row_bytes, float *acc,
                      struct trit_softmax *sm, const struct trit_attn_shape *shape, const float *q,
                      const void *k, const float *k_scale, const void *v, const float *v_scale)
{
    for (size_t i = 0; i < shape->n_q; i++)
        attn_query(load, row_bytes, acc + i * shape->ldq, &sm[i], shape, q + i * shape->ldq, k,
                   k_scale, v, v_scale);
}

static void attn_block_f32(float *acc, struct trit_softmax *sm, const struct trit_attn_shape *shape,
                           const float *q, const void *k, const float *k_scale, const void *v,
                           const float *v_scale)
{
    (void)k_scale, (void)v_scale;
    attn_rows(load_kv_f32, 4 * shape->head_dim, acc, sm, shape, q, k, NULL, v, NULL);
}

static void attn_block_f16(float *acc, struct trit_softmax *sm, const struct trit_attn_shape *shape,
                           const float *q, const void *k, const float *k_scale, const void *v,
                           const float *v_scale)
{
    (void)k_scale, (void)v_scale;
    attn_rows(decode_f16, 2 * shape->head_dim, acc, sm, shape, q, k, NULL, v, NULL);
}

static void attn_block_i8(float *acc, struct trit_softmax *sm, const struct trit_attn_shape *shape,
                          const float *q, const void *k, const float *k_scale, const void *v,
                          const float *v_scale)
{
    attn_rows(load_kv_i8, shape->head_dim, acc, sm, shape, q, k, k_scale, v, v_scale);
}

/* ---- Probes ---------------------------------------------------------------------------------- */

static uint64_t probe_read(const void *p, size_t n_bytes, enum trit_hint hint)
{
    const uint8_t *bytes = p;
    uint64_t x = 0, last = 0;

    (void)hint;
    for (; n_bytes >= sizeof x; n_bytes -= sizeof x, bytes += sizeof x) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        x ^= word;
    }
    memcpy(&last, bytes, n_bytes);
    return x ^ last;
}

/* As in t2_dot, with codes that need no unpacking. */
static uint64_t probe_macs(size_t n_rounds)
{
    enum { N = 128 };
    uint8_t c[N];
    int8_t x[N];
    uint64_t sum = 0;

    memset(c, 1, sizeof c);
    memset(x, 1, sizeof x);
    for (size_t r = 0; r < n_rounds; r++) {
        int32_t round = 0;
        __asm__ volatile("" : : "r"(c), "r"(x) : "memory"); /* c and x may have changed */
        for (size_t i = 0; i < N; i++)
            round += c[i] * x[i];
        sum += (uint64_t)round;
    }
    return sum;
}

/* As in the lane rule. */
static uint64_t probe_fmas(size_t n_rounds)
{
    float lanes[TRIT_LANES] = {0}, one = 1, sum = 0;

    for (size_t r = 0; r < n_rounds; r++) {
        __asm__ volatile("" : "+m"(one));
        for (size_t i = 0; i < TRIT_LANES; i++)
            lanes[i] = fmaf(one, one, lanes[i]);
    }
    for (size_t i = 0; i < TRIT_LANES; i++)
        sum += lanes[i];
    return (uint64_t)sum;
}

/* ---- Table ----------------------------------------------------------------------------------- */

void trit_kernels_init_scalar(struct trit_kernels *k)
{
    *k = (struct trit_kernels){
        .quantize_row =
            {[TRIT_ACT_FORM_MUL] = quantize_row_mul, [TRIT_ACT_FORM_DIV] = quantize_row_div},
        .t2_gemm = t2_gemm,
        .decode = {[TRIT_FORMAT_F32] = decode_f32,
                   [TRIT_FORMAT_F16] = decode_f16,
                   [TRIT_FORMAT_BF16] = decode_bf16,
                   [TRIT_FORMAT_Q8_0] = decode_q8_0,
                   [TRIT_FORMAT_Q4_0] = decode_q4_0,
                   [TRIT_FORMAT_Q4_K] = decode_q4_k,
                   [TRIT_FORMAT_Q6_K] = decode_q6_k},
        .gemm = {[TRIT_FORMAT_F32] = gemm_f32,
                 [TRIT_FORMAT_F16] = gemm_f16,
                 [TRIT_FORMAT_BF16] = gemm_bf16,
                 [TRIT_FORMAT_Q8_0] = gemm_q8_0,
                 [TRIT_FORMAT_Q4_0] = gemm_q4_0,
                 [TRIT_FORMAT_Q4_K] = gemm_q4_k,
                 [TRIT_FORMAT_Q6_K] = gemm_q6_k},
        .rmsnorm = rmsnorm,
        .layernorm = layernorm,
        .fwht = fwht,
        .rope = {[TRIT_ROPE_HALF] = rope_half, [TRIT_ROPE_PAIRS] = rope_pairs},
        .glu = {[TRIT_ACT_SILU] = glu_silu, [TRIT_ACT_RELU2] = glu_relu2},
        .kv_store = {[TRIT_KV_F16] = kv_store_f16,
                     [TRIT_KV_F32] = kv_store_f32,
                     [TRIT_KV_I8] = kv_store_i8},
        .attn_block = {[TRIT_KV_F16] = attn_block_f16,
                       [TRIT_KV_F32] = attn_block_f32,
                       [TRIT_KV_I8] = attn_block_i8},
        .attn_merge = attn_merge,
        .probe_read = probe_read,
        .probe_macs = probe_macs,
        .probe_fmas = probe_fmas,
    };
}
