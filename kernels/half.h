/* half.h - 16-bit floats as bits: conversions for scalar code, with the results of F16C.
 * Conversions to f32 are exact; f32 to f16 rounds to nearest even. */
#ifndef TRIT_HALF_H
#define TRIT_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t trit_f32_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float trit_bits_f32(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline uint16_t trit_load_u16(const void *p)
{
    uint16_t u;
    memcpy(&u, p, sizeof u);
    return u;
}

static inline float trit_bf16_to_f32(uint16_t h)
{
    return trit_bits_f32((uint32_t)h << 16);
}

static inline float trit_f16_to_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    const uint32_t rest = h & 0x7fffu;
    if (rest >= 0x7c00u) /* infinity; NaN is made quiet, as in hardware */
        return trit_bits_f32(sign | 0x7f800000u | (rest & 0x3ffu ? 0x400000u : 0) |
                             (rest & 0x3ffu) << 13);
    if (rest >= 0x0400u)
        return trit_bits_f32(sign | ((rest << 13) + (112u << 23)));
    const float tiny = (float)rest * 0x1p-24f; /* subnormal: exact */
    return trit_bits_f32(sign | trit_f32_bits(tiny));
}

static inline uint16_t trit_f32_to_f16(float x)
{
    const uint32_t u = trit_f32_bits(x);
    const uint16_t sign = (uint16_t)(u >> 16 & 0x8000u);
    const uint32_t abs = u & 0x7fffffffu;
    if (abs > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u | (abs >> 13 & 0x3ffu));
    if (abs >= 0x477ff000u) /* rounds to 65536 or more */
        return (uint16_t)(sign | 0x7c00u);
    if (abs < 0x38800000u) { /* below 2^-14: adding 0.5 leaves the rounded multiple of 2^-24 */
        const uint32_t r = trit_f32_bits(trit_bits_f32(abs) + 0.5f) - trit_f32_bits(0.5f);
        return (uint16_t)(sign | r);
    }
    const uint32_t odd = abs >> 13 & 1;
    return (uint16_t)(sign | (abs + 0xfffu + odd - (112u << 23)) >> 13);
}

#endif
