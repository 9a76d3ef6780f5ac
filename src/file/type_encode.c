/* type_encode.c - encode floats in the types of embeddings and heads. kernels/scalar.c decodes
 * the same layouts. */
#include <math.h>
#include <string.h>

#include "blocks.h"
#include "half.h"
#include "type.h"

static void store_u16(uint8_t *out, uint16_t x)
{
    memcpy(out, &x, sizeof x);
}

void trit_encode_f32(uint8_t *out, const float *x, size_t n)
{
    memcpy(out, x, n * sizeof *x);
}

void trit_encode_f16(uint8_t *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        store_u16(out + 2 * i, trit_f32_to_f16(x[i]));
}

void trit_encode_bf16(uint8_t *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = trit_f32_bits(x[i]);
        store_u16(out + 2 * i, (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16));
    }
}

float trit_scale_f16(float scale)
{
    return trit_f16_to_f32(trit_f32_to_f16(scale));
}

float trit_scale_bf16(float scale)
{
    uint8_t kept[2];

    trit_encode_bf16(kept, &scale, 1);
    return trit_bf16_to_f32(trit_load_u16(kept));
}

/* Clamp and round to the nearest integer, half to even. Compilers can vectorise this. */
static float clamped(float q, float lo, float hi)
{
    const float shift = 0x1.8p23f; /* above it, floats are integers */
    q = q > lo ? q : lo;
    q = q < hi ? q : hi;
    return (q + shift) - shift;
}

/* ---- Q8_0: an f16 scale and 32 int8 ---------------------------------------------------------- */

void trit_encode_q8_0(uint8_t *out, const float *x, size_t n)
{
    for (size_t b = 0; b < n; b += Q8_0_BLOCK, out += Q8_0_BYTES) {
        float top = 0.0f;
        for (size_t i = 0; i < Q8_0_BLOCK; i++)
            top = fmaxf(top, fabsf(x[b + i]));
        const float d = top / 127.0f, inverse = d > 0.0f ? 1.0f / d : 0.0f;
        store_u16(out, trit_f32_to_f16(d));
        for (size_t i = 0; i < Q8_0_BLOCK; i++) {
            out[2 + i] = (uint8_t)(int8_t)clamped(x[b + i] * inverse, -127.0f, 127.0f);
        }
    }
}

/* ---- Scales by search ------------------------------------------------------------------------
 *
 * A block of weights is s*q with integers q in -most..most-1. Each candidate for s puts the largest
 * weight a little above or below -most; least squares, weighted by x^2, then fit the best scale to
 * its q. If these squares overflow a float, no candidate wins and the plain scale stays. It is out
 * of the type's range as well, so the weights are rejected. */

static float best_scale(const float *x, size_t n, float most)
{
    float top = 0.0f, best_gain = -1.0f;

    for (size_t i = 0; i < n; i++)
        top = fabsf(x[i]) > fabsf(top) ? x[i] : top;
    if (fabsf(top) < 1e-30f)
        return 0.0f;
    float best = top / -most;
    for (int step = -9; step <= 9; step++) {
        const float inverse = -(most + 0.1f * (float)step) / top;
        float sum_xq = 0.0f, sum_qq = 0.0f;
        for (size_t i = 0; i < n; i++) {
            const float q = clamped(x[i] * inverse, -most, most - 1.0f), weight = x[i] * x[i];
            sum_xq += weight * x[i] * q;
            sum_qq += weight * q * q;
        }
        const float gain = sum_qq > 0.0f ? sum_xq * sum_xq / sum_qq : 0.0f;
        if (gain > best_gain) {
            best_gain = gain;
            best = sum_qq > 0.0f ? sum_xq / sum_qq : 1.0f / inverse;
        }
    }
    return best;
}

static float inverse_of(float x)
{
    return x != 0.0f ? 1.0f / x : 0.0f;
}

/* ---- Q4_0: an f16 scale and 32 4-bit weights, the second 16 in the high nibbles -------------- */

void trit_encode_q4_0(uint8_t *out, const float *x, size_t n)
{
    for (size_t b = 0; b < n; b += Q4_0_BLOCK, out += Q4_0_BYTES) {
        const uint16_t bits = trit_f32_to_f16(best_scale(x + b, Q4_0_BLOCK, 8.0f));
        const float inverse = inverse_of(trit_f16_to_f32(bits));
        store_u16(out, bits);
        for (size_t i = 0; i < 16; i++) {
            const float low = clamped(x[b + i] * inverse, -8.0f, 7.0f);
            const float high = clamped(x[b + 16 + i] * inverse, -8.0f, 7.0f);
            out[2 + i] = (uint8_t)((unsigned)(low + 8.0f) | (unsigned)(high + 8.0f) << 4);
        }
    }
}

/* ---- Q4_K: two f16 factors, 8 pairs of 6-bit scale and minimum, 256 4-bit weights ------------ */

enum { SUB_4 = 32, N_SUBS_4 = K_BLOCK / SUB_4 };

/* Scale and minimum (>= 0, subtracted) of 32 weights. Try a few ways to cut their range into 15
 * steps and keep the least-squares line with the smallest error, or the plain steps if all errors
 * overflow (as in best_scale()). */
static void best_line(const float *x, float *scale, float *min)
{
    float lo = 0.0f, hi = 0.0f, best = INFINITY;

    *scale = *min = 0.0f;
    for (size_t i = 0; i < SUB_4; i++) {
        lo = fminf(lo, x[i]);
        hi = fmaxf(hi, x[i]);
    }
    if (!(hi - lo > 1e-30f))
        return;
    *scale = (hi - lo) / 15.0f;
    *min = -lo;
    for (int step = -5; step <= 10; step++) {
        const float inverse = (15.0f + 0.2f * (float)step) / (hi - lo);
        float q[SUB_4], sum_q = 0.0f, sum_qq = 0.0f, sum_x = 0.0f, sum_xq = 0.0f, error = 0.0f;
        for (size_t i = 0; i < SUB_4; i++) {
            q[i] = clamped((x[i] - lo) * inverse, 0.0f, 15.0f);
            sum_q += q[i], sum_qq += q[i] * q[i], sum_x += x[i], sum_xq += x[i] * q[i];
        }
        const float det = (float)SUB_4 * sum_qq - sum_q * sum_q;
        float s = det > 0.0f ? ((float)SUB_4 * sum_xq - sum_x * sum_q) / det : 1.0f / inverse;
        float m = (s * sum_q - sum_x) / (float)SUB_4;
        if (m < 0.0f) {
            m = 0.0f;
            s = sum_qq > 0.0f ? sum_xq / sum_qq : s;
        }
        for (size_t i = 0; i < SUB_4; i++)
            error += (s * q[i] - m - x[i]) * (s * q[i] - m - x[i]);
        if (s > 0.0f && error < best) {
            best = error;
            *scale = s;
            *min = m;
        }
    }
}

/* The inverse of q4_k_scale() in scalar.c. */
static void store_q4_k_scale(uint8_t packed[12], size_t j, unsigned scale, unsigned min)
{
    if (j < 4) {
        packed[j] |= (uint8_t)scale;
        packed[4 + j] |= (uint8_t)min;
    } else {
        packed[4 + j] |= (uint8_t)((scale & 15) | (min & 15) << 4);
        packed[j - 4] |= (uint8_t)(scale >> 4 << 6);
        packed[j] |= (uint8_t)(min >> 4 << 6);
    }
}

/* Weights 64j..64j+63 are in bytes 32j.. after the scales: the first 32 in the low nibbles. */
static void encode_q4_k_block(uint8_t *out, const float *x)
{
    float scales[N_SUBS_4], mins[N_SUBS_4], top = 0.0f, top_min = 0.0f;

    for (size_t s = 0; s < N_SUBS_4; s++) {
        best_line(x + s * SUB_4, &scales[s], &mins[s]);
        top = fmaxf(top, scales[s]);
        top_min = fmaxf(top_min, mins[s]);
    }
    const uint16_t d_bits = trit_f32_to_f16(top / 63.0f),
                   min_bits = trit_f32_to_f16(top_min / 63.0f);
    const float d = trit_f16_to_f32(d_bits), d_min = trit_f16_to_f32(min_bits);
    memset(out, 0, Q4_K_BYTES);
    store_u16(out, d_bits);
    store_u16(out + 2, min_bits);
    for (size_t s = 0; s < N_SUBS_4; s++) {
        const float scale = clamped(scales[s] * inverse_of(d), 0.0f, 63.0f);
        const float min = clamped(mins[s] * inverse_of(d_min), 0.0f, 63.0f);
        const float inverse = inverse_of(d * scale);
        store_q4_k_scale(out + 4, s, (unsigned)scale, (unsigned)min);
        for (size_t i = 0; i < SUB_4; i++) {
            const float q = clamped((x[s * SUB_4 + i] + d_min * min) * inverse, 0.0f, 15.0f);
            out[16 + s / 2 * SUB_4 + i] |= (uint8_t)((unsigned)q << 4 * (s % 2));
        }
    }
}

void trit_encode_q4_k(uint8_t *out, const float *x, size_t n)
{
    for (size_t b = 0; b < n; b += K_BLOCK, out += Q4_K_BYTES)
        encode_q4_k_block(out, x + b);
}

/* ---- Q6_K: an f16 factor, 16 int8 scales, 256 6-bit weights ---------------------------------- */

enum { SUB_6 = 16, N_SUBS_6 = K_BLOCK / SUB_6 };

/* Weight 128h + 32j + l of a block, j 0..3: the low 4 bits in byte 64h + 32*(j%2) + l, the low
 * nibble for j < 2; the high 2 bits in byte 128 + 32h + l, from bit 2j on. */
static void store_q6(uint8_t *out, const uint8_t q[K_BLOCK])
{
    memset(out, 0, Q6_K_BYTES);
    for (size_t i = 0; i < K_BLOCK; i++) {
        const size_t h = i / 128, j = i % 128 / 32, l = i % 32;
        out[64 * h + 32 * (j % 2) + l] |= (uint8_t)((q[i] & 15) << 4 * (j / 2));
        out[128 + 32 * h + l] |= (uint8_t)(q[i] >> 4 << 2 * j);
    }
}

static void encode_q6_k_block(uint8_t *out, const float *x)
{
    float scales[N_SUBS_6], top = 0.0f;
    int8_t of_d[N_SUBS_6];
    uint8_t q[K_BLOCK];

    for (size_t s = 0; s < N_SUBS_6; s++) {
        scales[s] = best_scale(x + s * SUB_6, SUB_6, 32.0f);
        top = fabsf(scales[s]) > fabsf(top) ? scales[s] : top;
    }
    const uint16_t bits = trit_f32_to_f16(top / -128.0f);
    const float d = trit_f16_to_f32(bits);
    for (size_t s = 0; s < N_SUBS_6; s++) {
        of_d[s] = (int8_t)clamped(scales[s] * inverse_of(d), -128.0f, 127.0f);
        const float inverse = inverse_of(d * (float)of_d[s]);
        for (size_t i = s * SUB_6; i < (s + 1) * SUB_6; i++)
            q[i] = (uint8_t)(clamped(x[i] * inverse, -32.0f, 31.0f) + 32.0f);
    }
    store_q6(out, q);
    memcpy(out + 192, of_d, sizeof of_d);
    store_u16(out + 208, bits);
}

void trit_encode_q6_k(uint8_t *out, const float *x, size_t n)
{
    for (size_t b = 0; b < n; b += K_BLOCK, out += Q6_K_BYTES)
        encode_q6_k_block(out, x + b);
}
